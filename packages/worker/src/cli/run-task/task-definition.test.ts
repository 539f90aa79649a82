import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { queueClient } from '../../queue/queue.ts';
import type { TaskDocument } from '../task-file/task-document.ts';
import { type TaskOverrides, taskDefinition } from './task-definition.ts';

const payload = { image: 'busybox', maxRunTime: 10 };
const untouched: TaskOverrides = { scopes: [], env: {} };

test('a payload alone makes a task that the queue accepts', async () => {
  expect(await created({})).toMatchObject({ payload, scopes: [], metadata: { name: 'hello' } });
});

test('what the document says goes before the defaults', async () => {
  const task = {
    ...{ priority: 'high' as const, retries: 2, tags: { kind: 'test' }, extra: { a: 1 } },
    deadline: taskcluster.fromNowJSON('2 hours'),
    expires: taskcluster.fromNowJSON('3 hours'),
  };

  expect(await created(task)).toMatchObject(task);
});

test('metadata is completed key by key', async () => {
  expect(await created({ metadata: { owner: 'me@example.com' } })).toMatchObject({
    metadata: { name: 'hello', owner: 'me@example.com', description: expect.stringContaining('run-task') },
  });
});

test('the task goes to the worker of this machine, wherever the document sends it', async () => {
  const elsewhere = { taskQueueId: 'other/pool', provisionerId: 'other', workerType: 'pool' };

  expect(await created(elsewhere)).toMatchObject({ taskQueueId: 'local/run-task' });
});

test("scopes of the command line are added to the document's, each once", async () => {
  const overrides = { ...untouched, scopes: ['b', 'c'] };

  expect(await created({ scopes: ['a', 'b'] }, overrides)).toMatchObject({ scopes: ['a', 'b', 'c'] });
});

test("variables of the command line go before the payload's", () => {
  const document = documentOf({}, { ...payload, env: { A: 'written', B: 'written' } });

  expect(taskDefinition(document, { scopes: [], env: { B: 'given', C: 'given' } })).toMatchObject({
    payload: { env: { A: 'written', B: 'given', C: 'given' } },
  });
});

test('without variables of the command line the payload is as it was written', () => {
  expect(taskDefinition(documentOf({}), untouched)).toMatchObject({ payload });
  expect(taskDefinition(documentOf({}), untouched)).not.toHaveProperty('payload.env');
});

test('artifacts may last longer than tasks usually do, and those whose time is over last as long as the task', async () => {
  const later = taskcluster.fromNowJSON('30 days');
  const file = { type: 'file', path: '/a' };
  const artifacts = { a: { ...file, expires: later }, b: { ...file, expires: '2020-01-01T00:00:00Z' } };

  expect(await created({}, untouched, { ...payload, artifacts })).toMatchObject({
    expires: later,
    payload: { artifacts: { a: { expires: later }, b: file } },
  });
});

// `expires` then has a default that is earlier than the deadline.
test('a deadline alone, later than usual, makes a task that the queue accepts', async () => {
  const deadline = taskcluster.fromNowJSON('4 days');

  expect(await created({ deadline })).toMatchObject({ deadline });
});

// As in a definition that was copied from a deployment.
test('a definition whose times are over makes a task that runs now', async () => {
  const copied = {
    created: '2024-01-01T00:00:00.000Z',
    deadline: '2024-01-02T00:00:00.000Z',
    expires: '2024-02-01T00:00:00.000Z',
  };

  expect(await created(copied)).toMatchObject({ payload });
});

/** The task as a queue has it. */
async function created(
  task: TaskDocument['task'],
  overrides = untouched,
  written: object = payload,
): Promise<object> {
  await using local = await startLocalTaskcluster();
  const queue = queueClient(local.rootUrl, local.credentials);
  const taskId = taskcluster.slugid();
  await queue.createTask(taskId, taskDefinition(documentOf(task, written), overrides));
  return await queue.task(taskId);
}

function documentOf(task: TaskDocument['task'], written: object = payload): TaskDocument {
  return { name: 'hello', taskId: taskcluster.slugid(), dependencies: [], payload: written, task };
}
