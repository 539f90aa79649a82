import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { startForTest } from '../../testing/start.ts';
import { createRunningTask, createTask, inMs, QUEUE_ID, taskDefinition } from '../../testing/task.ts';

test('a new task has the defaults of the API and is pending', async () => {
  await using local = await startForTest();
  const taskId = taskcluster.slugid();

  const { status } = await local.queue.createTask(taskId, taskDefinition());
  const task = await local.queue.task(taskId);

  expect(status).toMatchObject({ taskId, state: 'pending', retriesLeft: 5, taskQueueId: QUEUE_ID });
  expect(status.runs).toMatchObject([{ runId: 0, state: 'pending', reasonCreated: 'scheduled' }]);
  expect(task).toMatchObject({
    taskGroupId: taskId,
    schedulerId: '-',
    projectId: 'none',
    priority: 'lowest',
    requires: 'all-completed',
    provisionerId: 'test-provisioner',
    workerType: 'test-worker',
    scopes: [],
    tags: {},
    extra: {},
  });
});

test('the task queue may be named by provisionerId and workerType', async () => {
  await using local = await startForTest();
  const names = { taskQueueId: undefined, provisionerId: 'p', workerType: 'w' };

  const taskId = await createTask(local, names);

  expect(await local.queue.status(taskId)).toMatchObject({ status: { taskQueueId: 'p/w' } });
});

test('createTask can be repeated with the same definition and with no other', async () => {
  await using local = await startForTest();
  const taskId = taskcluster.slugid();
  const definition = taskDefinition();
  await local.queue.createTask(taskId, definition);

  const again = await local.queue.createTask(taskId, definition);
  const different = local.queue.createTask(taskId, { ...definition, payload: { other: true } });

  expect(again.status.runs).toHaveLength(1);
  await expect(different).rejects.toMatchObject({ statusCode: 409, code: 'RequestConflict' });
});

test.each([
  ['a deadline in the past', { deadline: inMs(-1000), created: inMs(-2000) }, 'InputError'],
  ['a deadline before its creation', { created: inMs(60_000), deadline: inMs(30_000) }, 'InputError'],
  ['a deadline in six days', { deadline: inMs(6 * 24 * 3600_000) }, 'InputError'],
  ['an expiry before its deadline', { expires: inMs(60_000) }, 'InputError'],
  ['a scope that ends with two stars', { scopes: ['a**'] }, 'InputError'],
  ['a dependency that does not exist', { dependencies: [taskcluster.slugid()] }, 'InputError'],
  ['an artifact that outlives it', { payload: { artifacts: { a: { expires: inMs(1e12) } } } }, 'InputError'],
  ['a key that is not known', { nonsense: 1 }, 'InputValidationError'],
  ['a priority that is not known', { priority: 'normal' }, 'InputValidationError'],
  [
    'a source that is no URL',
    { metadata: { ...taskDefinition().metadata, source: 'x' } },
    'InputValidationError',
  ],
])('a task with %s is refused', async (_what, overrides, code) => {
  await using local = await startForTest();

  await expect(createTask(local, overrides)).rejects.toMatchObject({ statusCode: 400, code });
});

test('a refused task leaves nothing behind', async () => {
  await using local = await startForTest();
  const taskId = taskcluster.slugid();
  const dependencies = [taskcluster.slugid()];
  await expect(local.queue.createTask(taskId, taskDefinition({ dependencies }))).rejects.toThrow(
    'must exist',
  );

  await expect(local.queue.status(taskId)).rejects.toMatchObject({ statusCode: 404 });
});

test('creating a task needs its scopes, its routes, its scheduler, its project and its priority', async () => {
  await using local = await startForTest();
  const needed = [
    'queue:create-task:project:none',
    'queue:scheduler-id:-',
    `queue:create-task:high:${QUEUE_ID}`,
    'queue:route:index.here',
    'secrets:get:this',
  ];
  const definition = taskDefinition({
    priority: 'medium',
    routes: ['index.here'],
    scopes: ['secrets:get:this'],
  });
  const create = (scopes: string[]) =>
    local.as(local.credentials, scopes).queue.createTask(taskcluster.slugid(), definition);

  await create(needed);
  for (const left of needed) {
    const refused = create(needed.filter((each) => each !== left));
    await expect(refused).rejects.toMatchObject({ statusCode: 403, code: 'InsufficientScopes' });
  }
});

test('a canceled task is an exception, can be canceled again, and can be rerun', async () => {
  await using local = await startForTest();
  const taskId = await createTask(local);

  const canceled = await local.queue.cancelTask(taskId);
  const again = await local.queue.cancelTask(taskId);
  const rerun = await local.queue.rerunTask(taskId);

  expect(canceled.status).toMatchObject({ state: 'exception', runs: [{ reasonResolved: 'canceled' }] });
  expect(again).toEqual(canceled);
  expect(rerun.status).toMatchObject({ state: 'pending', runs: [{}, { reasonCreated: 'rerun' }] });
});

test('a canceled task is not given to a worker', async () => {
  await using local = await startForTest({ longPollSeconds: 0.05 });
  const taskId = await createTask(local);
  await local.queue.cancelTask(taskId);

  const { tasks } = await local.queue.claimWork(QUEUE_ID, { workerGroup: 'g', workerId: 'w', tasks: 1 });

  expect(tasks).toEqual([]);
  expect(await local.queue.pendingTasks(QUEUE_ID)).toMatchObject({ pendingTasks: 0 });
});

test('canceling a group ends all tasks that are still open', async () => {
  await using local = await startForTest();
  const first = await createRunningTask(local);
  const member = { taskGroupId: first.taskId };
  const second = await createTask(local, member);
  const third = await createTask(local, { ...member, dependencies: [second] });
  await first.run.reportCompleted(first.taskId, 0);

  const canceled = await local.queue.cancelTaskGroup(first.taskId);
  const { status } = await local.queue.status(third);

  expect(canceled).toMatchObject({ taskGroupSize: 3, cancelledCount: 2 });
  expect(canceled.taskIds.sort()).toEqual([second, third].sort());
  expect(status.runs).toMatchObject([{ reasonCreated: 'exception', reasonResolved: 'canceled' }]);
});

test('a group lists its tasks in pages and takes none once it is sealed', async () => {
  await using local = await startForTest();
  const taskGroupId = await createTask(local);
  const second = await createTask(local, { taskGroupId });

  const first = await local.queue.listTaskGroup(taskGroupId, { limit: 1 });
  const { continuationToken } = first;
  const last = await local.queue.listTaskGroup(taskGroupId, { continuationToken });
  const sealed = await local.queue.sealTaskGroup(taskGroupId);

  const listed = [...first.tasks, ...last.tasks].map(({ status }) => status.taskId);
  expect(listed.sort()).toEqual([taskGroupId, second].sort());
  expect(last.continuationToken).toBeUndefined();
  expect(await local.queue.getTaskGroup(taskGroupId)).toEqual(sealed);
  await expect(createTask(local, { taskGroupId })).rejects.toMatchObject({ code: 'RequestConflict' });
});

test('a group belongs to one scheduler', async () => {
  await using local = await startForTest();
  const taskGroupId = await createTask(local, { schedulerId: 'one' });

  const other = createTask(local, { taskGroupId, schedulerId: 'two' });

  await expect(other).rejects.toMatchObject({ statusCode: 409 });
});

test('many tasks are looked up in one call', async () => {
  await using local = await startForTest();
  const taskIds = [await createTask(local), await createTask(local)].sort();
  const unknown = taskcluster.slugid();

  const { tasks } = await local.queue.tasks({ taskIds: [...taskIds, unknown] });
  const { statuses } = await local.queue.statuses({ taskIds });

  expect(tasks.map((each: { taskId: string }) => each.taskId)).toEqual(taskIds);
  expect(statuses.map((each: { taskId: string }) => each.taskId)).toEqual(taskIds);
});

test('anybody may read tasks', async () => {
  await using local = await startForTest();
  const taskId = await createTask(local);
  const anonymous = local.as({}).queue;

  expect(await anonymous.task(taskId)).toMatchObject({ taskQueueId: QUEUE_ID });
  await expect(anonymous.cancelTask(taskId)).rejects.toMatchObject({ statusCode: 403 });
});
