import taskcluster, { type Client } from 'taskcluster-client';
import { UserError } from '../../../user-error.ts';
import type { TaskDocument } from '../../task-file/task-document.ts';
import { upstreamError } from './upstream-task.ts';

/** An image that a task of a deployment has made. */
interface UpstreamImage {
  /** Name of the document that wants it. */
  wantedBy: string;
  path: string;
  /** One of both. */
  taskId?: string;
  namespace?: string;
}

/** Services of the embedded Taskcluster. */
export interface LocalServices {
  queue: Client;
  index: Client;
}

const worker = { workerGroup: 'upstream', workerId: 'upstream' };

/** The images that documents want of tasks that are not among them. */
export function upstreamImages(documents: TaskDocument[]): UpstreamImage[] {
  const own = new Set(documents.map(({ taskId }) => taskId));
  return documents.flatMap(({ name, payload }) => {
    const { image } = payload as { image?: string | ({ type: string } & Omit<UpstreamImage, 'wantedBy'>) };
    if (typeof image !== 'object' || (image.type !== 'task-image' && image.type !== 'indexed-image')) {
      return [];
    }
    const { taskId, namespace, path } = image;
    return taskId !== undefined && own.has(taskId) ? [] : [{ wantedBy: name, taskId, namespace, path }];
  });
}

/**
 * Makes images of a deployment known to the embedded Taskcluster: as artifacts that lead to the deployment's public ones. The worker
 * fetches those that the engine does not have from an earlier run, and keeps them by the digest of what it got.
 *
 * @throws UserError
 */
export async function provideImages(
  images: UpstreamImage[],
  rootUrl: string,
  { queue, index }: LocalServices,
): Promise<void> {
  const hidden = images.find(({ path }) => !path.startsWith('public/'));
  if (hidden !== undefined) {
    throw new UserError(
      `${hidden.wantedBy}: its image ${hidden.path} is not public, and only what is public can be had of ${rootUrl}`,
    );
  }
  const known = new Map<string, Set<string>>();
  await Promise.all(
    images.map(async ({ path, namespace, ...image }) => {
      const taskId = image.taskId ?? (await indexed(namespace ?? '', rootUrl));
      known.set(taskId, (known.get(taskId) ?? new Set()).add(path));
      if (namespace !== undefined) {
        const expires = taskcluster.fromNowJSON('1 day');
        await index.insertTask(namespace, { taskId, rank: 0, data: {}, expires });
      }
    }),
  );
  await Promise.all([...known].map(([taskId, paths]) => standIn(queue, taskId, [...paths], rootUrl)));
}

async function indexed(namespace: string, rootUrl: string): Promise<string> {
  try {
    const { taskId } = await new taskcluster.Index({ rootUrl, retries: 1 }).findTask(namespace);
    return taskId;
  } catch (error) {
    throw new UserError(upstreamError(`indexed task ${namespace}`, rootUrl, error));
  }
}

/** A task that has completed, with artifacts that are elsewhere. */
async function standIn(queue: Client, taskId: string, paths: string[], rootUrl: string): Promise<void> {
  const expires = taskcluster.fromNowJSON('1 day');
  await queue.createTask(taskId, {
    taskQueueId: 'upstream/images',
    ...{
      created: taskcluster.fromNowJSON('0 seconds'),
      deadline: taskcluster.fromNowJSON('1 hour'),
      expires,
    },
    metadata: {
      name: 'image',
      description: `A task of ${rootUrl}.`,
      owner: 'nobody@localhost.localdomain',
      source: rootUrl,
    },
    payload: {},
  });
  await queue.claimTask(taskId, 0, worker);
  for (const path of paths) {
    await queue.createArtifact(taskId, 0, path, {
      ...{ storageType: 'reference', contentType: 'application/octet-stream', expires },
      url: `${rootUrl}/api/queue/v1/task/${taskId}/artifacts/${encodeURI(path)}`,
    });
  }
  await queue.reportCompleted(taskId, 0);
}
