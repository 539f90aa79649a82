import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import type { ServedPages } from '@docker-worker/run-page';
import type { FastifyInstance } from 'fastify';
import { Alarms } from './alarms.ts';
import type { Service } from './api/endpoint.ts';
import { Authenticator } from './auth/authenticator.ts';
import { Clients } from './auth/clients.ts';
import { Roles } from './auth/roles.ts';
import { BlobStore } from './blobs/blob-store.ts';
import { ObjectStore } from './blobs/object-store.ts';
import { CalledAs } from './called-as.ts';
import type { InsufficientScopes } from './errors.ts';
import type { Logger } from './logger.ts';
import type { WorkerRuns } from './pages/worker-runs.ts';
import { createQueue } from './queue/queue.ts';
import { queueService } from './queue/service.ts';
import { signedArtifactUrl } from './queue/signed-artifact-url.ts';
import type { TaskDefinition } from './queue/task-definition.ts';
import { stateOf, type TaskRecord, type TaskState } from './queue/task-record.ts';
import { createServer } from './server.ts';
import { authService } from './services/auth/auth.ts';
import { indexService } from './services/index-service.ts';
import { IndexedTasks } from './services/indexed-tasks.ts';
import { objectService } from './services/object.ts';
import { purgeCacheService } from './services/purge-cache.ts';
import { secretsService } from './services/secrets.ts';
import { workerManagerService } from './services/worker-manager.ts';
import { WorkerPools } from './services/worker-pools.ts';
import { Database } from './store/database.ts';

export interface LocalTaskclusterOptions {
  /** Address to listen on; default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Under which callers reach the server; default `http://<host>:<port>`. */
  rootUrl?: string;
  /** Further host names that callers know it by: what they are told has the name, and the port, that they have called. */
  aliases?: readonly string[];
  /** Keeps state and artifacts across restarts; by default everything is gone at the end. */
  dataDir?: string;
  /** How long a claim lasts; default 1200, fractions allowed. */
  claimSeconds?: number;
  /** How long claimWork waits for a task; default 20, fractions allowed. */
  longPollSeconds?: number;
  /** Gives workers the tasks of all task queues, whichever they ask for; default false. */
  oneQueue?: boolean;
  /** Whether there is a role `anonymous`, which a new deployment does not have; default true. */
  anonymous?: boolean;
  /** Of the client that has all scopes; default `root`. */
  clientId?: string;
  /** Default: the one of the last start in `dataDir`, else random. */
  accessToken?: string;
  logger?: Logger;
}

export interface SeenRequest {
  method: string;
  /** Without the query, which may hold a signature. */
  path: string;
  status: number;
  /** The scope expression that the caller did not satisfy. */
  missingScopes?: unknown;
  /** Of the caller whom they are missing, if it has credentials. */
  clientId?: string;
}

/** A task that was created, or that is resolved for good. */
export interface SeenTask {
  taskId: string;
  state: TaskState;
  /** Why it was resolved. */
  reason: TaskRecord['runs'][number]['reasonResolved'];
  task: TaskDefinition;
}

export interface LocalTaskcluster extends AsyncDisposable {
  rootUrl: string;
  /** Where the server listens, whatever the rootUrl says. */
  url: string;
  /** Of the client that has scope `*`. */
  credentials: { clientId: string; accessToken: string };
  /** Calls `listener` after each response, until the returned function is called. */
  onRequest(listener: (request: SeenRequest) => void): () => void;
  /** Calls `listener` once a task is created, and once it is resolved, until the returned function is called. */
  onTask(listener: (task: SeenTask) => void): () => void;
  /**
   * Serves pages of its tasks and groups to whoever is at this machine, until that is disposed of.
   *
   * @param port default: any free one
   * @param runs what a worker in this process knows of its runs
   */
  servePages(options?: { port?: number; runs?: WorkerRuns }): Promise<ServedPages>;
}

/** Called before the server listens; for tests that look at bodies. */
export type Tap = (app: FastifyInstance, services: Service[]) => void;

/**
 * Starts Taskcluster in this process. Rejects when the address is taken or the data directory is not usable.
 * Disposing answers the long polls, closes all connections, and removes what was not to be kept.
 */
export async function startLocalTaskcluster(
  options: LocalTaskclusterOptions = {},
  tap?: Tap,
): Promise<LocalTaskcluster> {
  await using stack = new AsyncDisposableStack();
  const { host = '127.0.0.1', port = 0, dataDir, claimSeconds = 1200, longPollSeconds = 20 } = options;
  const { oneQueue = false } = options;
  let rootUrl = options.rootUrl?.replace(/\/$/, '') ?? '';
  const publicUrl = () => new URL(rootUrl);
  const called = new CalledAs(options.aliases ?? []);
  const rootUrlOfCaller = () => called.rootUrl ?? rootUrl;

  const database = stack.use(new Database(dataDir));
  const alarms = stack.use(new Alarms());
  const blobs = stack.use(new BlobStore({ database, dataDir, rootUrl: rootUrlOfCaller }));
  const objects = new ObjectStore(database, blobs);
  const clients = new Clients(database);
  const roles = new Roles(database);
  if (options.anonymous ?? true) roles.ensureAnonymous();
  const root = clients.ensureStatic(options.clientId ?? 'root', ['*'], options.accessToken);
  const authenticator = new Authenticator((clientId) => clients.get(clientId), roles);

  const closing = new AbortController();
  const queue = createQueue({
    ...{ database, alarms, clients, blobs, objects, claimSeconds, longPollSeconds, oneQueue },
    closing: closing.signal,
  });
  const services = [
    queueService(queue),
    authService({ clients, roles, authenticator, publicUrl }),
    secretsService(database),
    objectService(objects, blobs),
    indexService({
      indexed: new IndexedTasks(database, queue.lifecycle),
      artifactUrl: (taskId, name) => signedArtifactUrl(rootUrlOfCaller(), queue.signer, { taskId, name }),
    }),
    purgeCacheService(database),
    workerManagerService(
      new WorkerPools(database),
      queue.workers,
      clients.ensureStatic('static/taskcluster/worker-manager', ['*']),
    ),
  ];
  const refusals = new WeakMap<object, InsufficientScopes>();
  const app = createServer({
    ...{ authenticator, publicUrl, blobs, services, logger: options.logger },
    onInsufficientScopes: ({ raw }, refusal) => void refusals.set(raw, refusal),
  });
  // Not before: where a body is awaited the context is another one.
  app.addHook('preValidation', (request, _reply, done) => called.during(request.headers.host, done));
  const listeners = new Set<(request: SeenRequest) => void>();
  app.addHook('onResponse', async ({ raw }, reply) => {
    const [path = ''] = (raw.url ?? '').split('?');
    const { missing, clientId } = refusals.get(raw) ?? {};
    for (const listener of listeners) {
      listener({
        method: raw.method ?? '',
        path,
        status: reply.statusCode,
        missingScopes: missing,
        clientId,
      });
    }
  });
  const taskListeners = new Set<(task: SeenTask) => void>();
  const tell = (record: TaskRecord) => {
    const seen = {
      taskId: record.taskId,
      state: stateOf(record),
      reason: record.runs.at(-1)?.reasonResolved,
      task: record.task,
    };
    database.afterCommit(() => {
      for (const listener of taskListeners) listener(seen);
    });
  };
  queue.lifecycle.onCreated(tell);
  queue.lifecycle.onResolved(tell);
  tap?.(app, services);
  stack.defer(async () => {
    closing.abort();
    await app.close();
  });
  queue.lifecycle.resume();
  await app.listen({ host, port });
  const url = listenerUrl(host, app.server.address() as AddressInfo);
  rootUrl ||= url;

  const owned = stack.move();
  return {
    rootUrl,
    url,
    credentials: { clientId: root.clientId, accessToken: root.accessToken },
    onRequest(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onTask(listener) {
      taskListeners.add(listener);
      return () => taskListeners.delete(listener);
    },
    async servePages({ port: pagePort, runs } = {}) {
      const { QueuePages } = await import('./pages/queue-pages.ts');
      return await QueuePages.serve(queue, { port: pagePort, runs });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** An address that stands for all interfaces is reached through the loopback one. */
function listenerUrl(host: string, { port }: AddressInfo): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`;
}
