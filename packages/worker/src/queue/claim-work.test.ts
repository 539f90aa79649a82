import { once } from 'node:events';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { WorkerConfig } from '../config-file/worker-config.ts';
import { claimWork } from './claim-work.ts';
import { queueClient } from './queue.ts';

const never = new AbortController().signal;

test('a task comes with its definition and with credentials of its own', async () => {
  await using queue = await startQueue();
  const taskId = await queue.createTask();

  const claims = await claimWork(queue.config, 1, never);

  expect(claims).toMatchObject([
    { status: { taskId }, runId: 0, task: { payload: { image: 'busybox' }, scopes: [] } },
  ]);
  expect(claims[0]?.credentials.certificate).toContain(`queue:resolve-task:${taskId}/0`);
});

test('no more tasks come than were asked for', async () => {
  await using queue = await startQueue();
  await Promise.all([queue.createTask(), queue.createTask(), queue.createTask()]);

  expect(await claimWork(queue.config, 2, never)).toHaveLength(2);
});

test('any number may be asked for, though the queue gives 32 at most', async () => {
  await using queue = await startQueue();
  await queue.createTask();

  expect(await claimWork(queue.config, 100, never)).toHaveLength(1);
});

test('no task is an empty answer, not an error', async () => {
  await using queue = await startQueue({ longPollSeconds: 0.05 });

  expect(await claimWork(queue.config, 1, never)).toEqual([]);
});

test('the queue sees the connection close when the signal aborts, and the call rejects', async () => {
  await using queue = await startQueue();
  const stopping = new AbortController();
  const arrived = queue.nextClaim();
  const claiming = claimWork(queue.config, 1, stopping.signal);
  const { hungUp } = await arrived;

  stopping.abort();

  await expect(claiming).rejects.toThrow();
  await hungUp;
});

test('a task that is created after the worker hung up goes to the next one', async () => {
  await using queue = await startQueue();
  const stopping = new AbortController();
  const arrived = queue.nextClaim();
  const claiming = claimWork(queue.config, 1, stopping.signal).catch(() => 'hung up');
  const { hungUp } = await arrived;
  stopping.abort();
  expect(await claiming).toBe('hung up');
  await hungUp;

  const taskId = await queue.createTask();

  expect(await claimWork(queue.config, 1, never)).toMatchObject([{ status: { taskId }, runId: 0 }]);
});

test('nothing is asked of the queue when the signal has aborted already', async () => {
  await using queue = await startQueue();
  const asked = queue.seen.length;

  await expect(claimWork(queue.config, 1, AbortSignal.abort(new Error('stopping')))).rejects.toThrow(
    'stopping',
  );

  expect(queue.seen).toHaveLength(asked);
});

// The client opens its connection a moment later, when there is nothing left to cut it.
test('a signal that aborts before the connection is open counts as well', async () => {
  await using queue = await startQueue({ longPollSeconds: 1 });
  const stopping = new AbortController();
  const claiming = claimWork(queue.config, 1, stopping.signal);

  stopping.abort();

  await expect(claiming).rejects.toThrow();
});

test('hanging up touches no other call', async () => {
  await using queue = await startQueue();
  const stopping = new AbortController();
  const bothArrived = queue.nextClaim().then(() => queue.nextClaim());
  const leaving = claimWork(queue.config, 1, stopping.signal).catch(() => 'hung up');
  const staying = claimWork(queue.config, 1, never);
  await bothArrived;

  stopping.abort();
  await leaving;
  await queue.createTask();

  expect(await staying).toHaveLength(1);
});

test('a failure of the queue is told at once, so that the caller decides about the next attempt', async () => {
  await using queue = await startQueue();
  queue.faults.push(500);

  await expect(claimWork(queue.config, 1, never)).rejects.toMatchObject({ statusCode: 500 });

  expect(queue.seen.filter((path) => path.includes('/claim-work/'))).toHaveLength(1);
});

test('an answer without its credentials is refused', async () => {
  await using queue = await startQueue();
  queue.answers.push({ tasks: [{ status: { taskId: 'a', expires: '' }, runId: 0 }] });

  await expect(claimWork(queue.config, 1, never)).rejects.toThrow('credentials');
});

async function startQueue(options: { longPollSeconds?: number } = {}) {
  const seen: string[] = [];
  const faults: number[] = [];
  const answers: object[] = [];
  let arrive: ((claim: { hungUp: Promise<unknown> }) => void) | undefined;
  const local = await startLocalTaskcluster(options, (app) => {
    app.addHook('onRequest', async (request, reply) => {
      seen.push(request.url);
      if (!request.url.includes('/claim-work/')) {
        return;
      }
      arrive?.({ hungUp: once(request.raw.socket, 'close') });
      const fault = faults.shift();
      const answer = answers.shift();
      if (fault !== undefined) {
        await reply.code(fault).send('made up');
      } else if (answer !== undefined) {
        await reply.type('application/json').send(JSON.stringify(answer));
      }
    });
  });
  const root = queueClient(local.rootUrl, local.credentials);
  return {
    ...{ seen, faults, answers },
    config: WorkerConfig.parse({
      rootUrl: local.rootUrl,
      taskcluster: local.credentials,
      ...{ provisionerId: 'test', workerType: 'claims', workerGroup: 'group', workerId: 'worker' },
    }),
    async createTask(): Promise<string> {
      const taskId = taskcluster.slugid();
      await root.createTask(taskId, {
        taskQueueId: 'test/claims',
        created: taskcluster.fromNowJSON(''),
        deadline: taskcluster.fromNowJSON('1 day'),
        payload: { image: 'busybox' },
        metadata: {
          name: 'a',
          description: 'a',
          owner: 'a@localhost.localdomain',
          source: 'https://localhost/',
        },
      });
      return taskId;
    },
    /** Resolves when the next claimWork call has arrived. */
    nextClaim: () =>
      new Promise<{ hungUp: Promise<unknown> }>((resolve) => {
        arrive = resolve;
      }),
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  };
}
