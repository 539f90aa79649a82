import { EventEmitter } from 'node:events';
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
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]();
      if (conformance.violations.length > 0) throw new Error(conformance.violations.join('\n\n'));
    },
  };
}

/** Endpoints of a service that no successful call has reached. */
export function notExercised({ conformance }: TestTaskcluster, service: string): string[] {
  const names = [...conformance.mounted.keys()].filter((name) => name.startsWith(`${service}.`));
  return names.filter((name) => !conformance.exercised.has(name));
}
