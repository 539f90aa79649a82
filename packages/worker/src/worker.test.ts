import { EventEmitter, once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import taskcluster from 'taskcluster-client';
import { testConfig } from './config-file/testing/worker-config.ts';
import { type EngineOfRuns, engineOfRuns } from './engine/testing/engine-of-runs.ts';
import { startWorker, type Worker } from './worker.ts';

test('a slot claims again while what the last run made is still being removed, and removes it at its leisure', async () => {
  await using host = await startHost();
  const [first, second] = [await host.createTask(), await host.createTask()];

  const removeFirst = await host.engine.removal();
  expect(await host.claimed(second)).toBe(true);
  expect(host.gone).toEqual([]);
  removeFirst();
  await host.left(first);
  host.engine.removeAll();
  await host.left(second);
});

test('a slot waits when of two of its runs something is left', async () => {
  await using host = await startHost();
  await host.createTask();
  const second = await host.createTask();
  const third = await host.createTask();

  const remove = await host.engine.removal();
  const removeSecond = await host.engine.removal();
  await host.resolved(second);
  expect([await host.state(third), host.worker.claiming]).toEqual(['pending', true]);
  remove();
  expect(await host.claimed(third)).toBe(true);
  removeSecond();
});

test('a worker that drains ends when the last thing of its last run is gone', async () => {
  await using host = await startHost();
  const task = await host.createTask();
  const remove = await host.engine.removal();
  await host.resolved(task);
  let hasEnded = false;
  void host.worker.ended.then(() => {
    hasEnded = true;
  });

  host.worker.drain();

  expect(await host.state(task)).toBe('completed');
  expect(hasEnded).toBe(false);
  remove();
  await host.worker.ended;
});

test('what the next run needs is given back before the rest is removed', async () => {
  await using host = await startHost();
  const payload = { cache: { 'level-1-cache': '/cache' } };
  const definition = { scopes: ['docker-worker:cache:level-1-cache'], payload };
  await host.createTask(definition);
  const second = await host.createTask(definition);

  await host.engine.removal();
  expect(await host.claimed(second)).toBe(true);
  await host.engine.removal();

  const mounts = host.engine.created.flatMap((container) => container.HostConfig?.Binds ?? []);
  expect(mounts.filter((mount) => mount.endsWith(':/cache'))).toHaveLength(2);
  expect(new Set(mounts).size).toBe(1);
});

test('a container that may still run, for all that is known, keeps its slot until it is removed', async () => {
  await using host = await startHost({ cutsStarts: true });
  const first = await host.createTask();
  const second = await host.createTask();

  const remove = await host.engine.removal();
  await host.resolved(first);
  expect(await host.state(second)).toBe('pending');
  remove();
});

test('a network that is being made as its run is aborted is removed', async () => {
  await using host = await startHost({ holdsCreations: true });
  const task = await host.createTask();
  const create = await host.engine.creation();

  host.worker.abort();
  await host.resolved(task);
  create();

  const remove = await host.engine.removal();
  remove();
  await host.worker.ended;
});

interface Host extends AsyncDisposable {
  engine: EngineOfRuns;
  worker: Worker;
  /** Ids of the tasks of which nothing is left. */
  gone: string[];
  createTask(definition?: object): Promise<string>;
  state(taskId: string): Promise<string>;
  /** Settles, with true, when the task's first run has been claimed. */
  claimed(taskId: string): Promise<true>;
  /** Settles when the queue has heard how a task's first run ended. */
  resolved(taskId: string): Promise<void>;
  left(taskId: string): Promise<void>;
}

/** A worker with one slot, and a queue. */
async function startHost(options: Parameters<typeof engineOfRuns>[0] = {}): Promise<Host> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await mkdtempDisposable(join(tmpdir(), 'worker-')), (made) => made.remove());
  const local = stack.use(await startLocalTaskcluster({ longPollSeconds: 1 }));
  const engine = stack.use(await engineOfRuns(options));
  const changes = new EventEmitter().setMaxListeners(0);
  const claimed = new Set<string>();
  const resolved = new Set<string>();
  const gone = new Set<string>();
  const add = (set: Set<string>, taskId: string) => {
    set.add(taskId);
    changes.emit('change');
  };
  const isIn = async (set: Set<string>, taskId: string) => {
    while (!set.has(taskId)) {
      await once(changes, 'change');
    }
  };
  local.onRequest(({ method, path }) => {
    const [, taskId] = /\/task\/([^/]+)\/runs\/0\/(completed|exception|failed)$/.exec(path) ?? [];
    if (method === 'POST' && taskId !== undefined) {
      add(resolved, taskId);
    }
  });
  const queue = new taskcluster.Queue({ rootUrl: local.rootUrl, credentials: local.credentials });
  const worker = stack.use(
    await startWorker({
      engine: engine.engine,
      logger: pino({ level: 'silent' }),
      config: testConfig({
        ...{ rootUrl: local.rootUrl, taskcluster: local.credentials, workerId: `w-${process.pid}` },
        ...{ dockerVolume: folder.path, stateDirectory: folder.path, metadata: 'allow' },
        cache: { volumeCachePath: join(folder.path, 'caches') },
        capacityManagement: { diskspaceThreshold: 0 },
        warm: { units: 0 },
      }),
      onRun: ({ taskId }) => add(claimed, taskId),
      onResolved: ({ taskId }) => add(gone, taskId),
    }),
  );
  // Whatever a test holds ends before the worker is waited for.
  stack.defer(() => engine.removeAll());
  const resources = stack.move();
  return {
    ...{ engine, worker },
    get gone() {
      return [...gone];
    },
    async createTask({ payload = {}, ...definition }: { payload?: object } = {}) {
      const taskId = taskcluster.slugid();
      await queue.createTask(taskId, {
        taskQueueId: 'prov/type',
        ...{ created: taskcluster.fromNowJSON('0 s'), deadline: taskcluster.fromNowJSON('1 hour') },
        metadata: { name: 't', description: '', owner: 'o@example.com', source: 'https://example.com' },
        payload: { image: 'image', command: ['true'], maxRunTime: 60, ...payload },
        ...definition,
      });
      return taskId;
    },
    async state(taskId) {
      return (await queue.status(taskId)).status.state;
    },
    claimed: (taskId) => isIn(claimed, taskId).then(() => true),
    resolved: (taskId) => isIn(resolved, taskId),
    left: (taskId) => isIn(gone, taskId),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
