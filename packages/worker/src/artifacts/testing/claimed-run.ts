import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import taskcluster, { type Client } from 'taskcluster-client';
import { request } from 'undici';
import { ClaimWorkAnswer, queueClient } from '../../queue/queue.ts';
import type { ArtifactDestination } from '../destination.ts';

/** What becomes of a PUT of bytes: answered with a status, cut off, or never answered. */
export type Fault = number | 'reset' | 'hang';

export interface ClaimedRun extends AsyncDisposable {
  destination: ArtifactDestination;
  /** Lines of the task's log. */
  workerLines: string[];
  errorLines: string[];
  abort(reason: Error): void;
  /** For the next PUTs, in their order; when none is left, they succeed. */
  faults: Fault[];
  puts: { count: number; mostAtOnce: number; onNext?: () => void };
  /** How often a client with the credentials of the moment was asked for. */
  clients: { count: number };
  /** The artifacts as the queue lists them. */
  list(): Promise<{ name: string; storageType: string; contentType: string; expires: string }[]>;
  /** What somebody gets who downloads it; `bytes` are still compressed. */
  download(name: string): Promise<Download>;
  /** Files that an upload left behind. */
  leftovers(): Promise<string[]>;
}

export interface Download {
  status: number;
  contentType: unknown;
  contentEncoding: unknown;
  bytes: Buffer;
}

/** A run that was claimed from a real queue, whose storage fails on request. */
export async function claimRun(): Promise<ClaimedRun> {
  await using resources = new AsyncDisposableStack();
  const tempDir = await mkdtemp(join(tmpdir(), 'artifacts-'));
  resources.defer(() => rm(tempDir, { recursive: true, force: true }));

  const workerLines: string[] = [];
  const errorLines: string[] = [];
  const abortion = new AbortController();
  const faults: Fault[] = [];
  const puts: ClaimedRun['puts'] = { count: 0, mostAtOnce: 0 };
  const clients = { count: 0 };
  let putsAtOnce = 0;

  const local = resources.use(
    await startLocalTaskcluster({}, (app) => {
      app.addHook('onRequest', async (incoming, reply) => {
        if (!isPut(incoming)) {
          return;
        }
        putsAtOnce += 1;
        puts.count += 1;
        puts.mostAtOnce = Math.max(puts.mostAtOnce, putsAtOnce);
        puts.onNext?.();
        const fault = faults.shift();
        if (fault === 'hang') {
          reply.hijack();
        } else if (fault === 'reset') {
          incoming.raw.socket.destroy();
        } else if (fault !== undefined) {
          await reply.code(fault).send('<Error><Code>MadeUp</Code></Error>');
        }
      });
      app.addHook('onResponse', async (answered) => {
        putsAtOnce -= isPut(answered) ? 1 : 0;
      });
    }),
  );
  const root = queueClient(local.rootUrl, local.credentials);
  const { taskId, runId, credentials, task } = await claimTask(root);

  const owned = resources.move();
  return {
    ...{ workerLines, errorLines, faults, puts, clients },
    destination: {
      queue() {
        clients.count += 1;
        return queueClient(local.rootUrl, credentials);
      },
      ...{ taskId, runId, tempDir },
      taskExpires: task.expires,
      skipCompressionExtensions: ['.dmg', '.jpg', 'lz4'],
      log: { worker: (text) => workerLines.push(text), error: (text) => errorLines.push(text) },
      signal: abortion.signal,
      limits: { maxAttempts: 3, delayFactor: 1, longestDelay: 2 },
    },
    abort: (reason) => abortion.abort(reason),
    async list() {
      return (await root.listArtifacts(taskId, runId)).artifacts;
    },
    async download(name) {
      const redirect = await request(root.buildSignedUrl(root.getArtifact, taskId, runId, name));
      await redirect.body.dump();
      const { location } = redirect.headers;
      const { statusCode, headers, body } = typeof location === 'string' ? await request(location) : redirect;
      return {
        status: statusCode,
        contentType: headers['content-type'],
        contentEncoding: headers['content-encoding'],
        bytes: typeof location === 'string' ? Buffer.from(await body.arrayBuffer()) : Buffer.alloc(0),
      };
    },
    leftovers: () => readdir(tempDir),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function isPut({ method, url }: { method: string; url: string }): boolean {
  return method === 'PUT' && url.startsWith('/blobs/');
}

async function claimTask(root: Client) {
  const taskId = taskcluster.slugid();
  await root.createTask(taskId, {
    taskQueueId: 'test/artifacts',
    created: taskcluster.fromNowJSON(''),
    deadline: taskcluster.fromNowJSON('1 day'),
    expires: taskcluster.fromNowJSON('2 days'),
    payload: {},
    metadata: { name: 'a', description: 'a', owner: 'a@localhost.localdomain', source: 'https://localhost/' },
  });
  const workers = { workerGroup: 'group', workerId: 'worker', tasks: 1 };
  const { tasks } = ClaimWorkAnswer.parse(await root.claimWork('test/artifacts', workers));
  const [claim] = tasks;
  if (claim === undefined) {
    throw new Error('the queue gave no task');
  }
  return { taskId, ...claim };
}
