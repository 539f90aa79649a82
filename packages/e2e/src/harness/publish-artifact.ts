import { randomBytes } from 'node:crypto';
import taskcluster from 'taskcluster-client';
import type { Deployment } from './deployment.ts';

export interface PublishOptions {
  contentEncoding?: 'gzip';
  /** Makes the task findable there. */
  namespace?: string;
}

/** Completes a task that has one artifact, and returns the task's id. */
export async function publishArtifact(
  { queue, local, createTask }: Deployment,
  name: string,
  bytes: Buffer,
  { contentEncoding, namespace }: PublishOptions = {},
): Promise<string> {
  // A pool that nobody else claims from.
  const pool = `test/publisher-${randomBytes(8).toString('hex')}`;
  const taskId = await createTask({}, { taskQueueId: pool });
  const { tasks } = await queue.claimWork(pool, {
    workerGroup: 'group',
    workerId: 'publisher',
    tasks: 1,
  });
  const claimed = new taskcluster.Queue({ rootUrl: local.rootUrl, credentials: tasks[0].credentials });
  const contentType = 'application/x-tar';
  const expires = taskcluster.fromNowJSON('1 hour');
  const { putUrl } = await claimed.createArtifact(taskId, 0, name, {
    storageType: 's3',
    expires,
    contentType,
  });
  const put = await fetch(putUrl, {
    method: 'PUT',
    headers: {
      'content-type': contentType,
      ...(contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }),
    },
    body: new Uint8Array(bytes),
  });
  if (put.status !== 200) {
    throw new Error(`the storage answered ${put.status}`);
  }
  await claimed.reportCompleted(taskId, 0);
  if (namespace !== undefined) {
    const index = new taskcluster.Index({ rootUrl: local.rootUrl, credentials: local.credentials });
    await index.insertTask(namespace, { taskId, rank: 1, data: {}, expires });
  }
  return taskId;
}
