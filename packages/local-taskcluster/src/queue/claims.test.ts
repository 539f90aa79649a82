import { expect, test } from '@jest/globals';
import { startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createRunningTask, createTask, QUEUE_ID, WORKER } from '../testing/task.ts';

const work = (local: TestTaskcluster, tasks = 1) => local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks });

test('urgent tasks are claimed first, and older ones before newer ones', async () => {
  await using local = await startForTest();
  const low = await createTask(local, { priority: 'low' });
  const olderHigh = await createTask(local, { priority: 'high' });
  const newerHigh = await createTask(local, { priority: 'high' });

  const { tasks } = await work(local, 32);

  expect(tasks.map((claim: { status: { taskId: string } }) => claim.status.taskId)).toEqual([
    olderHigh,
    newerHigh,
    low,
  ]);
});

test('a claim comes with the task and with credentials for nothing else', async () => {
  await using local = await startForTest();
  const { taskId, claim, run } = await createRunningTask(local, { scopes: ['secrets:get:mine'] });
  const other = await createRunningTask(local);

  const { scopes } = await local.as(claim.credentials).auth.currentScopes();

  expect(claim).toMatchObject({ runId: 0, ...WORKER, task: { taskQueueId: QUEUE_ID } });
  expect(claim.credentials.clientId).toMatch(
    new RegExp(`^task-client/${taskId}/0/on/test-group/test-worker/until/[\\d.]+$`),
  );
  expect(scopes).toEqual(
    expect.arrayContaining([
      `queue:reclaim-task:${taskId}/0`,
      `queue:resolve-task:${taskId}/0`,
      `queue:create-artifact:${taskId}/0`,
      'secrets:get:mine',
    ]),
  );
  await expect(run.reportCompleted(other.taskId, 0)).rejects.toMatchObject({ statusCode: 403 });
});

test('a claim lasts as long as configured and a reclaim makes it longer', async () => {
  await using local = await startForTest({ claimSeconds: 100 });
  const before = Date.now();
  const { taskId, claim, run } = await createRunningTask(local);

  const reclaim = await run.reclaimTask(taskId, 0);

  expect(Date.parse(claim.takenUntil) - before).toBeGreaterThanOrEqual(100_000);
  expect(Date.parse(claim.takenUntil) - before).toBeLessThan(110_000);
  expect(Date.parse(reclaim.takenUntil)).toBeGreaterThan(Date.parse(claim.takenUntil));
  expect(reclaim.credentials.accessToken).not.toBe(claim.credentials.accessToken);
  const fresh = local.as(reclaim.credentials).queue;
  expect(await fresh.reportCompleted(taskId, 0)).toMatchObject({ status: { state: 'completed' } });
});

test('claimTask gives the same worker its claim again and refuses another one', async () => {
  await using local = await startForTest();
  const { taskId, claim } = await createRunningTask(local);

  const again = await local.queue.claimTask(taskId, 0, WORKER);
  const stolen = local.queue.claimTask(taskId, 0, { ...WORKER, workerId: 'thief' });

  expect(again.takenUntil).toBe(claim.takenUntil);
  await expect(stolen).rejects.toMatchObject({ statusCode: 409, code: 'RequestConflict' });
});

test('the same resolution can be reported again and no other can', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await run.reportFailed(taskId, 0);

  const again = await run.reportFailed(taskId, 0);

  expect(again.status).toMatchObject({ state: 'failed', runs: [{ reasonResolved: 'failed' }] });
  await expect(run.reportCompleted(taskId, 0)).rejects.toMatchObject({ statusCode: 409 });
  await expect(run.reportException(taskId, 0, { reason: 'internal-error' })).rejects.toMatchObject({
    statusCode: 409,
  });
});

test('a run that was canceled can neither be reclaimed nor resolved', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await local.queue.cancelTask(taskId);

  await expect(run.reclaimTask(taskId, 0)).rejects.toMatchObject({
    statusCode: 409,
    code: 'RequestConflict',
  });
  await expect(run.reportCompleted(taskId, 0)).rejects.toMatchObject({ statusCode: 409 });
});

test.each([
  ['worker-shutdown', 'retry'],
  ['intermittent-task', 'task-retry'],
])('%s is retried as %s while retries are left', async (reason, reasonCreated) => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local, { retries: 1 });

  const first = await run.reportException(taskId, 0, { reason });
  const second = await local.queue.claimTask(taskId, 1, WORKER);
  const last = await local.as(second.credentials).queue.reportException(taskId, 1, { reason });

  expect(first.status).toMatchObject({ state: 'pending', retriesLeft: 0 });
  expect(first.status.runs).toMatchObject([
    { state: 'exception', reasonResolved: reason },
    { reasonCreated },
  ]);
  expect(last.status).toMatchObject({ state: 'exception', retriesLeft: 0 });
  expect(last.status.runs).toHaveLength(2);
});

test.each(['malformed-payload', 'resource-unavailable', 'internal-error'])(
  '%s is final although retries are left',
  async (reason) => {
    await using local = await startForTest();
    const { taskId, run } = await createRunningTask(local);

    const { status } = await run.reportException(taskId, 0, { reason });

    expect(status).toMatchObject({ state: 'exception', retriesLeft: 5, runs: [{ reasonResolved: reason }] });
    expect(status.runs).toHaveLength(1);
  },
);

test('a run that does not exist is not found', async () => {
  await using local = await startForTest();
  const taskId = await createTask(local);

  await expect(local.queue.claimTask(taskId, 1, WORKER)).rejects.toMatchObject({ statusCode: 404 });
  await expect(local.queue.reportCompleted(taskId, 7)).rejects.toMatchObject({ statusCode: 404 });
});
