import { PassThrough } from 'node:stream';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { outcomeOf } from '../../run/outcome.ts';
import type { AbortCause } from '../../run/run-abort.ts';
import { Session } from './session.ts';

const worker = { workerGroup: 'g', workerId: 'w' };

/** A session, its queue, and a worker that ends tasks as it is told. */
async function begin() {
  await using stack = new AsyncDisposableStack();
  const local = stack.use(await startLocalTaskcluster({ oneQueue: true }));
  const queue = new taskcluster.Queue({ rootUrl: local.rootUrl, credentials: local.credentials });
  const session = new Session(queue, undefined, new PassThrough().resume());
  stack.defer(local.onTask((task) => session.seen(task)));
  const owned = stack.move();
  return {
    ...{ queue, session },
    /** The next pending task ends. */
    async end(exitCode: number): Promise<string> {
      const { tasks } = await queue.claimWork('any/queue', { ...worker, tasks: 1 });
      const [{ status, runId }] = tasks;
      const { taskId } = status;
      await (exitCode === 0 ? queue.reportCompleted(taskId, runId) : queue.reportFailed(taskId, runId));
      session.resolved(
        { taskId, runId },
        outcomeOf({ kind: exitCode === 0 ? 'completed' : 'failed' }, exitCode),
      );
      return session.nameOf(taskId);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function task(name: string, more: object = {}) {
  const definition = {
    taskQueueId: 'some/queue',
    ...{ created: taskcluster.fromNowJSON('0 seconds'), deadline: taskcluster.fromNowJSON('1 hour') },
    metadata: { name, description: '', owner: 'a@example.com', source: 'https://example.com' },
    payload: {},
    ...more,
  };
  return { name, taskId: taskcluster.slugid(), definition };
}

test('tasks run after what they need', async () => {
  await using run = await begin();
  const first = task('first');
  await run.session.create([first, task('second', { dependencies: [first.taskId] })]);

  expect(await run.end(0)).toBe('first');
  expect(await run.end(0)).toBe('second');
  expect(await run.session.exitCode()).toBe(0);
});

test('what needs a task that failed is skipped, what only waits for it is not', async () => {
  await using run = await begin();
  const first = task('first');
  const second = task('second', { dependencies: [first.taskId] });
  const third = task('third', { dependencies: [second.taskId] });
  const report = task('report', { dependencies: [first.taskId], requires: 'all-resolved' });
  await run.session.create([first, second, third, report]);

  expect(await run.end(3)).toBe('first');
  expect(await run.end(0)).toBe('report');
  expect(await run.session.exitCode()).toBe(3);
  expect(await run.queue.status(third.taskId)).toMatchObject({ status: { state: 'exception' } });
});

test('tasks that a task creates are waited for, and count', async () => {
  await using run = await begin();
  await run.session.create([task('decision')]);
  const child = task('child', { scopes: ['a'] });
  await run.queue.createTask(child.taskId, child.definition);

  expect(await run.end(0)).toBe('decision');
  expect(await run.end(4)).toBe('child');
  expect(await run.session.exitCode()).toBe(4);
  expect(run.session.scopesOf(child.taskId)).toEqual(['a']);
});

test('a task that is cancelled while it runs is aborted at once', async () => {
  await using run = await begin();
  const one = task('one');
  await run.session.create([one]);
  const { tasks } = await run.queue.claimWork('any/queue', { ...worker, tasks: 1 });
  const aborted = Promise.withResolvers<AbortCause>();
  const log = { read: async function* () {} };
  run.session.follow({ taskId: one.taskId, runId: 0, log, abort: aborted.resolve } as never);

  await run.queue.cancelTask(one.taskId);

  expect(tasks).toHaveLength(1);
  expect(await aborted.promise).toEqual({ kind: 'canceled' });
});

test('a task that is cancelled before it runs does not keep the others waiting', async () => {
  await using run = await begin();
  const [one, other] = [task('one'), task('other')];
  await run.session.create([one, other]);
  await run.queue.cancelTask(one.taskId);

  expect(await run.end(0)).toBe('other');
  expect(await run.session.exitCode()).toBe(75);
});
