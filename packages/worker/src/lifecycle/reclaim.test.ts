import { EventEmitter, once } from 'node:events';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import type { Credentials } from '@docker-worker/service-kit/control';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import taskcluster from 'taskcluster-client';
import { WorkerConfig } from '../config-file/worker-config.ts';
import { ClaimWorkAnswer, queueClient } from '../queue/queue.ts';
import { openRun, type RunHost } from '../run/run.ts';
import type { RunAbort } from '../run/run-abort.ts';
import { startReclaiming } from './reclaim.ts';

test('a claim is renewed again and again, each time with new credentials', async () => {
  await using claimed = await claimRun({ claimSeconds: 10 });
  await using reclaiming = claimed.reclaim(50);
  const tokens = [claimed.run.credentials.accessToken];

  for (let renewal = 0; renewal < 3; renewal++) {
    const { accessToken } = await nextCredentials(reclaiming);
    tokens.push(accessToken);
  }

  expect(new Set(tokens).size).toBe(4);
  expect(claimed.run.signal.aborted).toBe(false);
});

test('calls after a renewal are made with its credentials', async () => {
  await using claimed = await claimRun({ claimSeconds: 10 });
  await using reclaiming = claimed.reclaim(50);
  const { run } = claimed;

  const renewed = await nextCredentials(reclaiming);

  expect(run.credentials).toEqual(renewed);
  await run.queue().reportCompleted(run.taskId, run.runId);
});

test('a claim is renewed once its time divided by the divisor is over', async () => {
  await using claimed = await claimRun({ claimSeconds: 60 });
  const started = Date.now();
  await using reclaiming = claimed.reclaim(120);

  await nextCredentials(reclaiming);

  expect(Date.now() - started).toBeGreaterThan(450);
  expect(Date.now() - started).toBeLessThan(20_000);
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

test.concurrent('a queue that cannot be reached until the claim lapses ends the run, and nothing is reported', async () => {
  await using claimed = await claimRun({ claimSeconds: 1 });
  claimed.faults.push(...Array.from({ length: 100 }, () => 500));

  await using _ = claimed.reclaim(2);

  const { abortCause, resolution } = await claimed.aborted();
  expect(abortCause).toEqual({ kind: 'claim-lapsed' });
  expect(resolution).toEqual({ kind: 'none' });
});

// After that another worker may have the task.
test.concurrent.each(['answers with a failure', 'does not answer'])(
  'a run is aborted when its claim lapses, and not before, while the queue %s',
  async (fault) => {
    await using claimed = await claimRun({ claimSeconds: 2 });
    const lapses = Date.parse(claimed.takenUntil);
    const wellAgain = lapses + 20_000;
    claimed.suffer({ until: wellAgain, silent: fault === 'does not answer' });

    await using _ = claimed.reclaim(2);
    await claimed.aborted();

    expect(Date.now()).toBeGreaterThanOrEqual(lapses);
    expect(Date.now()).toBeLessThan(wellAgain);
  },
);

test('an outage ends a run only when it outlasts the claim, however long and whenever it is', async () => {
  const outages = fc.sample(
    fc.record({
      claimSeconds: fc.integer({ min: 2, max: 4 }),
      divisor: fc.double({ min: 1.2, max: 4, noNaN: true }),
      begins: fc.double({ min: 0, max: 0.9, noNaN: true }),
      lasts: fc.double({ min: 0, max: 1.2, noNaN: true }),
      silent: fc.boolean(),
    }),
    { numRuns: 40, seed: 15 },
  );
  const survived = await Promise.all(
    outages.map(async ({ claimSeconds, divisor, begins, lasts, silent }) => {
      await using claimed = await claimRun({ claimSeconds });
      const lapses = Date.parse(claimed.takenUntil);
      const [from, until] = [begins, begins + lasts].map(
        (share) => lapses - claimSeconds * 1000 * (1 - share),
      ) as [number, number];
      claimed.suffer({ from, until, silent });
      await using reclaiming = claimed.reclaim(divisor);
      const renewed = new Promise((resolve) =>
        reclaiming.onCredentials(() => Date.now() > until && resolve('renewed')),
      );
      const outcome = await Promise.race([
        renewed,
        claimed.aborted().then(({ abortCause }) => abortCause.kind),
      ]);
      // What is left of the claim then: by its last renewal before the outage, if there was one.
      return { outcome, left: claimed.heldAt(until) - until };
    }),
  );

  // One that ends in the last moment may be noticed too late.
  const momentMs = 1_500;
  expect(survived.filter(({ outcome, left }) => outcome !== 'renewed' && left > momentMs)).toEqual([]);
  expect(survived.filter(({ outcome, left }) => outcome !== 'claim-lapsed' && left < 0)).toEqual([]);
  expect(new Set(survived.map(({ outcome }) => outcome))).toEqual(new Set(['renewed', 'claim-lapsed']));
}, 60_000);

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
  await using claimed = await claimRun({ claimSeconds: 3 });
  const reclaiming = claimed.reclaim(12);
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

interface Outage {
  /** Epoch ms; default: since ever. */
  from?: number;
  until: number;
  /** It takes calls and does not answer, else it answers with a failure. */
  silent: boolean;
}

/** A run claimed from a real queue, whose renewals fail on request. */
async function claimRun({ claimSeconds }: { claimSeconds: number }) {
  await using stack = new AsyncDisposableStack();
  /** Statuses of the next renewals; when none is left, they succeed. */
  const faults: number[] = [];
  const calls = { count: 0 };
  let hold: (() => Promise<void>) | undefined;
  let outage: Outage = { until: 0, silent: false };
  /** What each successful renewal gave. */
  const grants: { at: number; takenUntil: number }[] = [];
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
        const now = Date.now();
        if (now >= (outage.from ?? 0) && now < outage.until) {
          await (outage.silent ? new Promise(() => {}) : reply.code(503).send('made up'));
        }
        const fault = faults.shift();
        if (fault !== undefined) {
          await reply.code(fault).send('made up');
        }
      });
      app.addHook('onSend', async (request, reply, body) => {
        if (request.url.endsWith('/reclaim') && reply.statusCode === 200) {
          const { takenUntil } = JSON.parse(String(body)) as { takenUntil: string };
          grants.push({ at: Date.now(), takenUntil: Date.parse(takenUntil) });
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
  const stopping = new AbortController().signal;
  const logger = pino({ level: 'silent' });
  const host = { config, version: '0', workerName: 'test', logger, stopping } as RunHost;
  const run = await openRun(host, claim, stack);
  const owned = stack.move();
  return {
    ...{ run, root, faults, calls, claimWork },
    takenUntil: claim.takenUntil,
    suffer(given: Outage) {
      outage = given;
    },
    /** Until when the claim went that was held at a time. */
    heldAt(time: number): number {
      const last = grants.findLast(({ at }) => at < time);
      return last?.takenUntil ?? Date.parse(claim.takenUntil);
    },
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
