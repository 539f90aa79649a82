import { EventEmitter, once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import type { Credentials } from '@docker-worker/service-kit/control';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import taskcluster from 'taskcluster-client';
import { WorkerConfig } from '../config-file/worker-config.ts';
import { ClaimWorkAnswer, queueClient } from '../queue/queue.ts';
import { openRun, type RunHost } from '../run/run.ts';
import type { RunAbort } from '../run/run-abort.ts';
import { startReclaiming } from './reclaim.ts';

test('a claim is renewed again and again, each time with new credentials', async () => {
  await using claimed = await claimRun({ claimSeconds: 1 });
  await using reclaiming = claimed.reclaim(5);
  const tokens = [claimed.run.credentials.accessToken];

  for (let renewal = 0; renewal < 3; renewal++) {
    const { accessToken } = await nextCredentials(reclaiming);
    tokens.push(accessToken);
  }

  expect(new Set(tokens).size).toBe(4);
  expect(claimed.run.signal.aborted).toBe(false);
});

test('calls after a renewal are made with its credentials', async () => {
  await using claimed = await claimRun({ claimSeconds: 1 });
  await using reclaiming = claimed.reclaim(5);
  const { run } = claimed;

  const renewed = await nextCredentials(reclaiming);

  expect(run.credentials).toEqual(renewed);
  await run.queue().reportCompleted(run.taskId, run.runId);
});

test('a claim is renewed once its time divided by the divisor is over', async () => {
  await using claimed = await claimRun({ claimSeconds: 2 });
  const started = Date.now();
  await using reclaiming = claimed.reclaim(4);

  await nextCredentials(reclaiming);

  expect(Date.now() - started).toBeGreaterThan(450);
  expect(Date.now() - started).toBeLessThan(1500);
});

test('a renewal that the queue fails to make is tried again', async () => {
  await using claimed = await claimRun({ claimSeconds: 600 });
  claimed.faults.push(500, 503);
  await using reclaiming = claimed.reclaim(6000);

  await nextCredentials(reclaiming);

  expect(claimed.calls.count).toBe(3);
  expect(claimed.run.signal.aborted).toBe(false);
});

test.concurrent('a queue that fails several times does not end the run', async () => {
  await using claimed = await claimRun({ claimSeconds: 600 });
  claimed.faults.push(...Array.from({ length: 3 }, () => 500));
  await using reclaiming = claimed.reclaim(6000);

  await nextCredentials(reclaiming);

  expect(claimed.run.signal.aborted).toBe(false);
});

test('a task that was cancelled is aborted without a resolution', async () => {
  await using claimed = await claimRun({ claimSeconds: 600 });
  await claimed.root.cancelTask(claimed.run.taskId);

  await using _ = claimed.reclaim(6000);

  expect((await claimed.aborted()).abortCause).toEqual({ kind: 'canceled' });
  expect(claimed.calls.count).toBe(1);
});

test.concurrent('a queue that cannot be reached until the claim lapses aborts the run as an internal error', async () => {
  await using claimed = await claimRun({ claimSeconds: 1 });
  claimed.faults.push(...Array.from({ length: 100 }, () => 500));

  await using _ = claimed.reclaim(2);

  expect((await claimed.aborted()).abortCause).toEqual({
    kind: 'internal-error',
    message: 'the claim could not be renewed',
  });
});

// After that another worker may have the task.
test.concurrent('a run is aborted by the time its claim lapses', async () => {
  await using claimed = await claimRun({ claimSeconds: 1 });
  claimed.faults.push(...Array.from({ length: 100 }, () => 500));

  await using _ = claimed.reclaim(2);
  const aborted = claimed.aborted().then(() => 'aborted');

  expect(await Promise.race([aborted, setTimeout(2000, 'lapsed')])).toBe('aborted');
});

// The queue is well again after some 3 seconds, when the claim has several times that to live.
test.concurrent('one spell of failures does not end the run of a short claim', async () => {
  await using claimed = await claimRun({ claimSeconds: 20 });
  claimed.faults.push(...Array.from({ length: 2 }, () => 500));
  await using reclaiming = claimed.reclaim(100);

  const renewed = nextCredentials(reclaiming).then(() => 'renewed');
  const aborted = claimed.aborted().then(() => 'aborted');

  expect(await Promise.race([renewed, aborted])).toBe('renewed');
});

test('disposing during a renewal changes nothing for the run', async () => {
  await using claimed = await claimRun({ claimSeconds: 600 });
  const { run } = claimed;
  const before = run.credentials;
  const { arrived, answer } = claimed.holdNext();
  const reclaiming = claimed.reclaim(6000);
  await arrived;

  const disposed = reclaiming[Symbol.asyncDispose]();
  answer();
  await disposed;

  expect(run.signal.aborted).toBe(false);
  expect(run.credentials).toBe(before);
});

test('a renewal that is refused after disposing does not abort the run', async () => {
  await using claimed = await claimRun({ claimSeconds: 600 });
  const { arrived, answer } = claimed.holdNext();
  const reclaiming = claimed.reclaim(6000);
  await arrived;

  const disposed = reclaiming[Symbol.asyncDispose]();
  await claimed.root.cancelTask(claimed.run.taskId);
  answer();
  await disposed;

  expect(claimed.run.signal.aborted).toBe(false);
});

test('nothing is renewed after disposing: the claim lapses and the task gets another run', async () => {
  await using claimed = await claimRun({ claimSeconds: 1 });
  const reclaiming = claimed.reclaim(4);
  await nextCredentials(reclaiming);

  await reclaiming[Symbol.asyncDispose]();

  const { tasks } = await claimed.claimWork();
  expect(tasks).toMatchObject([{ runId: 1, status: { taskId: claimed.run.taskId } }]);
  expect(claimed.run.signal.aborted).toBe(false);
});

test('disposing between renewals takes no time', async () => {
  await using claimed = await claimRun({ claimSeconds: 600 });
  const reclaiming = claimed.reclaim(2);
  const started = performance.now();

  await reclaiming[Symbol.asyncDispose]();

  expect(performance.now() - started).toBeLessThan(200);
});

/** A run claimed from a real queue, whose renewals fail on request. */
async function claimRun({ claimSeconds }: { claimSeconds: number }) {
  await using stack = new AsyncDisposableStack();
  /** Statuses of the next renewals; when none is left, they succeed. */
  const faults: number[] = [];
  const calls = { count: 0 };
  let hold: (() => Promise<void>) | undefined;
  const local = stack.use(
    await startLocalTaskcluster({ claimSeconds }, (app) => {
      app.addHook('onRequest', async (request, reply) => {
        if (!request.url.endsWith('/reclaim')) {
          return;
        }
        calls.count += 1;
        const held = hold;
        hold = undefined;
        await held?.();
        const fault = faults.shift();
        if (fault !== undefined) {
          await reply.code(fault).send('made up');
        }
      });
    }),
  );
  const root = queueClient(local.rootUrl, local.credentials);
  const config = WorkerConfig.parse({
    rootUrl: local.rootUrl,
    taskcluster: local.credentials,
    ...{ provisionerId: 'test', workerType: 'reclaim', workerGroup: 'group', workerId: 'worker' },
  });
  await root.createTask(taskcluster.slugid(), {
    taskQueueId: 'test/reclaim',
    created: taskcluster.fromNowJSON(''),
    deadline: taskcluster.fromNowJSON('1 day'),
    payload: {},
    metadata: { name: 'a', description: 'a', owner: 'a@localhost.localdomain', source: 'https://localhost/' },
  });
  const claimWork = async () =>
    ClaimWorkAnswer.parse(
      await root.claimWork('test/reclaim', { workerGroup: 'group', workerId: 'worker', tasks: 1 }),
    );
  const [claim] = (await claimWork()).tasks;
  if (claim === undefined) {
    throw new Error('the queue gave no task');
  }
  const host = { config, version: '0', workerName: 'test', logger: pino({ level: 'silent' }) } as RunHost;
  const run = await openRun(host, claim, stack);
  const owned = stack.move();
  return {
    ...{ run, root, faults, calls, claimWork },
    reclaim: (divisor: number) => startReclaiming(run, claim.takenUntil, divisor),
    async aborted(): Promise<RunAbort> {
      if (!run.signal.aborted) {
        await once(run.signal, 'abort');
      }
      return run.signal.reason;
    },
    /** Lets the next renewal wait for its answer. */
    holdNext() {
      const gate = new EventEmitter();
      const arrived = once(gate, 'arrived');
      hold = async () => {
        gate.emit('arrived');
        await once(gate, 'answer');
      };
      return { arrived, answer: () => void gate.emit('answer') };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function nextCredentials(reclaiming: ReturnType<typeof startReclaiming>): Promise<Credentials> {
  return new Promise((resolve) => reclaiming.onCredentials(resolve));
}
