import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createRunningTask, createTask, taskDefinition } from '../testing/task.ts';

async function stateOf({ queue }: TestTaskcluster, taskId: string): Promise<string> {
  const { status } = await queue.status(taskId);
  return status.state;
}

test('a task is scheduled when all tasks it depends on are completed', async () => {
  await using local = await startForTest();
  const one = await createRunningTask(local);
  const two = await createRunningTask(local);
  const taskId = await createTask(local, { dependencies: [one.taskId, two.taskId] });

  const states = [await stateOf(local, taskId)];
  await one.run.reportCompleted(one.taskId, 0);
  states.push(await stateOf(local, taskId));
  await two.run.reportCompleted(two.taskId, 0);
  states.push(await stateOf(local, taskId));

  expect(states).toEqual(['unscheduled', 'unscheduled', 'pending']);
});

test('a failure keeps a task that requires completion from being scheduled', async () => {
  await using local = await startForTest();
  const { taskId: required, run } = await createRunningTask(local);
  const strict = await createTask(local, { dependencies: [required] });
  const lenient = await createTask(local, { dependencies: [required], requires: 'all-resolved' });

  await run.reportFailed(required, 0);

  expect(await stateOf(local, strict)).toBe('unscheduled');
  expect(await stateOf(local, lenient)).toBe('pending');
});

test('dependencies that are met already do not hold a task up', async () => {
  await using local = await startForTest();
  const { taskId: required, run } = await createRunningTask(local);
  await run.reportCompleted(required, 0);

  const taskId = await createTask(local, { dependencies: [required] });

  expect(await stateOf(local, taskId)).toBe('pending');
});

test('a retry does not count as a resolution', async () => {
  await using local = await startForTest();
  const { taskId: required, run } = await createRunningTask(local);
  const taskId = await createTask(local, { dependencies: [required], requires: 'all-resolved' });

  await run.reportException(required, 0, { reason: 'worker-shutdown' });

  expect(await stateOf(local, taskId)).toBe('unscheduled');
});

test('a task that depends on itself waits until somebody schedules it', async () => {
  await using local = await startForTest();
  const taskId = taskcluster.slugid();
  await local.queue.createTask(taskId, taskDefinition({ dependencies: [taskId] }));
  const before = await stateOf(local, taskId);

  const { status } = await local.queue.scheduleTask(taskId);
  const again = await local.queue.scheduleTask(taskId);

  expect(before).toBe('unscheduled');
  expect(status).toMatchObject({ state: 'pending', runs: [{ reasonCreated: 'scheduled' }] });
  expect(again.status).toEqual(status);
});

test('the tasks that depend on one are listed', async () => {
  await using local = await startForTest();
  const required = await createTask(local);
  const dependent = await createTask(local, { dependencies: [required] });

  const { tasks } = await local.queue.listDependentTasks(required);

  expect(tasks).toMatchObject([{ status: { taskId: dependent, state: 'unscheduled' } }]);
});
