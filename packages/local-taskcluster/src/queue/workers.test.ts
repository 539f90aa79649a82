import { expect, test } from '@jest/globals';
import { startForTest } from '../testing/start.ts';
import { createTask, inMs, QUEUE_ID, WORKER } from '../testing/task.ts';

const [provisionerId, workerType] = QUEUE_ID.split('/') as [string, string];
const { workerGroup, workerId } = WORKER;

test('a worker that has claimed is known with its tasks, to the queue and to the worker-manager', async () => {
  await using local = await startForTest();
  const taskId = await createTask(local);
  await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });

  const latestTask = { taskId, runId: 0 };
  expect(await local.queue.listWorkers(provisionerId, workerType)).toMatchObject({
    workers: [{ ...WORKER, latestTask }],
  });
  expect(await local.queue.getWorker(provisionerId, workerType, workerGroup, workerId)).toMatchObject({
    ...{ ...WORKER, taskQueueId: QUEUE_ID, recentTasks: [latestTask] },
  });
  expect(await local.workerManager.listWorkers(provisionerId, workerType)).toMatchObject({
    workers: [{ ...WORKER, state: 'standalone', latestTask }],
  });
  expect(await local.workerManager.getWorker(provisionerId, workerType, workerGroup, workerId)).toMatchObject(
    { ...WORKER, workerPoolId: QUEUE_ID, state: 'standalone' },
  );
});

test('a worker in quarantine gets no tasks, and others do', async () => {
  await using local = await startForTest({ longPollSeconds: 0.2 });
  await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });
  const quarantine = { quarantineUntil: inMs(3600_000), quarantineInfo: 'its disk is full' };
  await local.queue.quarantineWorker(provisionerId, workerType, workerGroup, workerId, quarantine);
  const taskId = await createTask(local);

  const kept = await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });
  const other = await local.queue.claimWork(QUEUE_ID, { workerGroup, workerId: 'other', tasks: 1 });

  expect(kept.tasks).toEqual([]);
  expect(other.tasks).toMatchObject([{ status: { taskId } }]);
  expect(await local.queue.listWorkers(provisionerId, workerType, { quarantined: 'true' })).toMatchObject({
    workers: [{ ...WORKER, quarantineUntil: quarantine.quarantineUntil }],
  });
  expect(await local.queue.getWorker(provisionerId, workerType, workerGroup, workerId)).toMatchObject({
    quarantineDetails: [{ clientId: 'root', quarantineInfo: 'its disk is full' }],
  });
});

test('a poll that is under way when its worker is put in quarantine still brings a task', async () => {
  await using local = await startForTest({ longPollSeconds: 5 });
  const arrived = new Promise((resolve) => local.arrivals.once('claimWork', resolve));
  const polling = local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });
  await arrived;
  // The worker is known once its poll is under way.
  await local.queue.declareWorker(provisionerId, workerType, workerGroup, workerId, {
    expires: inMs(3600_000),
  });
  const quarantine = { quarantineUntil: inMs(3600_000) };
  await local.queue.quarantineWorker(provisionerId, workerType, workerGroup, workerId, quarantine);
  await createTask(local);

  expect((await polling).tasks).toHaveLength(1);
});

test('what waits and what is worked on is counted and listed', async () => {
  await using local = await startForTest();
  const claimed = await createTask(local);
  await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });
  const pending = await createTask(local);

  expect(await local.queue.pendingTasks(QUEUE_ID)).toMatchObject({ pendingTasks: 1 });
  expect(await local.queue.taskQueueCounts(QUEUE_ID)).toMatchObject({ pendingTasks: 1, claimedTasks: 1 });
  expect(await local.queue.listPendingTasks(QUEUE_ID)).toMatchObject({ tasks: [{ taskId: pending }] });
  expect(await local.queue.listClaimedTasks(QUEUE_ID)).toMatchObject({
    tasks: [{ taskId: claimed, ...WORKER }],
  });
});

test('a task queue is listed once a worker has asked it', async () => {
  await using local = await startForTest({ longPollSeconds: 0.1 });
  await expect(local.queue.getTaskQueue(QUEUE_ID)).rejects.toMatchObject({ statusCode: 404 });
  await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });

  expect(await local.queue.getTaskQueue(QUEUE_ID)).toMatchObject({ taskQueueId: QUEUE_ID });
  expect(await local.queue.listTaskQueues()).toMatchObject({ taskQueues: [{ taskQueueId: QUEUE_ID }] });
  expect(await local.queue.listProvisioners()).toMatchObject({ provisioners: [{ provisionerId }] });
  expect(await local.queue.getProvisioner(provisionerId)).toMatchObject({ provisionerId });
  expect(await local.queue.listWorkerTypes(provisionerId)).toMatchObject({ workerTypes: [{ workerType }] });
  expect(await local.queue.getWorkerType(provisionerId, workerType)).toMatchObject({ workerType });
});

test('a task that has become urgent is claimed first', async () => {
  await using local = await startForTest();
  const [first, second] = [await createTask(local), await createTask(local)];

  const { status } = await local.call('POST', 'queue', `/task/${second}/priority`, { newPriority: 'high' });
  const { tasks } = await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 2 });

  expect(status).toMatchObject({ priority: 'high' });
  expect(tasks.map((claim: { status: { taskId: string } }) => claim.status.taskId)).toEqual([second, first]);
});

test('the priority of a group is that of each of its open tasks', async () => {
  await using local = await startForTest();
  const taskId = await createTask(local);
  const { taskGroupId } = await local.queue.task(taskId);

  const path = `/task-group/${taskGroupId}/priority`;
  const changed = await local.call('POST', 'queue', path, { newPriority: 'low' });

  expect(changed).toMatchObject({ tasksAffected: 1, taskIds: [taskId] });
  expect((await local.queue.status(taskId)).status.priority).toBe('low');
});
