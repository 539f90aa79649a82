import { EventEmitter } from 'node:events';
import hawk from 'hawk';
import taskcluster, { type Client, type Credentials } from 'taskcluster-client';
import {
  type LocalTaskcluster,
  type LocalTaskclusterOptions,
  startLocalTaskcluster,
} from '../local-taskcluster.ts';
import { Conformance } from './conformance.ts';

/** Clients of the official library; by default as the root client. */
export interface Clients {
  queue: Client;
  auth: Client;
  secrets: Client;
  object: Client;
  index: Client;
  purgeCache: Client;
  workerManager: Client;
}

export interface TestTaskcluster extends LocalTaskcluster, Clients {
  conformance: Conformance;
  /** Emits the name of an endpoint, with the request, when one arrives. */
  arrivals: EventEmitter;
  /** Emits the name of an endpoint, with the request, when its answer is about to be sent. */
  answers: EventEmitter;
  /** A call that the official library does not know yet, as the root client: `call('POST', 'queue', '/task/…', {…})`. */
  call(method: string, service: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** Clients with other credentials, or none. */
  as(credentials: Partial<Credentials>, authorizedScopes?: string[]): Clients;
}

/** Starts Taskcluster for a test. Disposing fails the test if anything on the wire broke the published schemas. */
export async function startForTest(options: LocalTaskclusterOptions = {}): Promise<TestTaskcluster> {
  const conformance = new Conformance();
  const arrivals = new EventEmitter();
  const answers = new EventEmitter();
  const local = await startLocalTaskcluster(options, (app, services) => {
    conformance.watch(app, services);
    app.addHook('preHandler', async (request) => {
      arrivals.emit(request.routeOptions.config.endpoint?.name ?? 'other', request);
    });
    app.addHook('onSend', async (request) => {
      answers.emit(request.routeOptions.config.endpoint?.name ?? 'other', request);
    });
  });
  const as: TestTaskcluster['as'] = (credentials, authorizedScopes) => {
    const shared = { rootUrl: local.rootUrl, credentials: credentials as Credentials, retries: 0 };
    const settings = { ...shared, ...(authorizedScopes && { authorizedScopes }) };
    return {
      queue: new taskcluster.Queue(settings),
      auth: new taskcluster.Auth(settings),
      secrets: new taskcluster.Secrets(settings),
      object: new taskcluster.Object(settings),
      index: new taskcluster.Index(settings),
      purgeCache: new taskcluster.PurgeCache(settings),
      workerManager: new taskcluster.WorkerManager(settings),
    };
  };
  return {
    ...local,
    ...as(local.credentials),
    conformance,
    arrivals,
    answers,
    as,
    async call(method, service, path, body) {
      const { clientId: id, accessToken: key } = local.credentials;
      const url = `${local.rootUrl}/api/${service}/v1${path}`;
      const { header } = hawk.client.header(url, method, { credentials: { id, key, algorithm: 'sha256' } });
      const headers = { authorization: header, 'content-type': 'application/json' };
      const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
      return (await answer.json()) as Record<string, unknown>;
    },
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]();
      if (conformance.violations.length > 0) throw new Error(conformance.violations.join('\n\n'));
    },
  };
}

const health = ['heartbeat', 'lbheartbeat', 'version'];

/** Endpoints of a service that no successful call has reached; those that all services have alike are not counted. */
export function notExercised({ conformance }: TestTaskcluster, service: string): string[] {
  const names = [...conformance.mounted.keys()].filter((name) => name.startsWith(`${service}.`));
  return names.filter(
    (name) => !conformance.exercised.has(name) && !health.includes(name.slice(service.length + 1)),
  );
}
