import { expect, test } from '@jest/globals';
import { startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createRunningTask, createTask, inMs, QUEUE_ID, WORKER } from '../testing/task.ts';

/** Claims the next run as soon as there is one: the answer comes when the queue has made it pending. */
async function nextRun(local: TestTaskcluster) {
  const { tasks } = await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });
  return tasks[0];
}

/** Waits for a task that is scheduled when another one is resolved. */
async function afterResolution(local: TestTaskcluster, taskId: string) {
  const follower = { dependencies: [taskId], requires: 'all-resolved', taskQueueId: 'after/wards' };
  await createTask(local, follower);
  await local.queue.claimWork('after/wards', { ...WORKER, tasks: 1 });
  return (await local.queue.status(taskId)).status;
}

test('a run whose claim expires is an exception, and another run follows', async () => {
  await using local = await startForTest({ claimSeconds: 0.2 });
  const { taskId, run } = await createRunningTask(local);

  const next = await nextRun(local);

  expect(next).toMatchObject({ runId: 1, status: { taskId, retriesLeft: 4 } });
  expect(next.status.runs).toMatchObject([
    { state: 'exception', reasonResolved: 'claim-expired' },
    { state: 'running', reasonCreated: 'retry' },
  ]);
  await expect(run.reportCompleted(taskId, 0)).rejects.toMatchObject({ statusCode: 409 });
});

test('a task without retries ends when its claim expires', async () => {
  await using local = await startForTest({ claimSeconds: 0.1 });
  const { taskId } = await createRunningTask(local, { retries: 0 });

  const status = await afterResolution(local, taskId);

  expect(status).toMatchObject({ state: 'exception', runs: [{ reasonResolved: 'claim-expired' }] });
});

test('a claim that is kept up outlives its first term', async () => {
  await using local = await startForTest({ claimSeconds: 0.5 });
  const { taskId, claim, run } = await createRunningTask(local);
  let current = run;
  while (Date.now() < Date.parse(claim.takenUntil)) {
    const { credentials } = await current.reclaimTask(taskId, 0);
    current = local.as(credentials).queue;
  }

  const { status } = await current.reportCompleted(taskId, 0);

  expect(status).toMatchObject({ state: 'completed', runs: [{ reasonResolved: 'completed' }] });
});

test('a running task is an exception at its deadline, whatever retries are left', async () => {
  await using local = await startForTest();
  const { taskId } = await createRunningTask(local, { deadline: inMs(300) });

  const status = await afterResolution(local, taskId);

  expect(status).toMatchObject({ state: 'exception', runs: [{ reasonResolved: 'deadline-exceeded' }] });
});

test('a pending task is an exception at its deadline and is not claimed any more', async () => {
  await using local = await startForTest();
  const taskId = await createTask(local, { deadline: inMs(200) });

  const status = await afterResolution(local, taskId);
  const { pendingTasks } = await local.queue.pendingTasks(QUEUE_ID);

  expect(status.runs).toMatchObject([{ reasonCreated: 'scheduled', reasonResolved: 'deadline-exceeded' }]);
  expect(pendingTasks).toBe(0);
});

test('a task that was never scheduled gets a run that says its deadline is exceeded', async () => {
  await using local = await startForTest();
  const blocker = await createTask(local);
  const taskId = await createTask(local, { dependencies: [blocker], deadline: inMs(200) });

  const status = await afterResolution(local, taskId);

  expect(status.runs).toMatchObject([{ reasonCreated: 'exception', reasonResolved: 'deadline-exceeded' }]);
  await expect(local.queue.scheduleTask(taskId)).rejects.toMatchObject({ statusCode: 409 });
  await expect(local.queue.rerunTask(taskId)).rejects.toMatchObject({ statusCode: 409 });
});
