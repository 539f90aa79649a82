import taskcluster from 'taskcluster-client';
import type { TestTaskcluster } from './start.ts';

export const QUEUE_ID = 'test-provisioner/test-worker';
export const WORKER = { workerGroup: 'test-group', workerId: 'test-worker' };

/** A createTask request that is valid as it is. */
export function taskDefinition(overrides: object = {}) {
  return {
    taskQueueId: QUEUE_ID,
    created: taskcluster.fromNowJSON('0 seconds'),
    deadline: taskcluster.fromNowJSON('1 hour'),
    payload: { command: ['true'] },
    metadata: {
      name: 'test',
      description: 'a test',
      owner: 'owner@example.com',
      source: 'https://example.com/',
    },
    ...overrides,
  };
}

/** A time this many milliseconds from now. */
export function inMs(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toJSON();
}

/** Creates a task and returns its taskId. */
export async function createTask({ queue }: TestTaskcluster, overrides: object = {}): Promise<string> {
  const taskId = taskcluster.slugid();
  await queue.createTask(taskId, taskDefinition(overrides));
  return taskId;
}

/** Creates a task and claims it; `run` is a client with the credentials of the claim. */
export async function createRunningTask(local: TestTaskcluster, overrides: object = {}) {
  const taskId = await createTask(local, overrides);
  const claim = await local.queue.claimTask(taskId, 0, WORKER);
  return { taskId, claim, run: local.as(claim.credentials).queue };
}
