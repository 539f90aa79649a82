import { SLUGID } from '@docker-worker/local-taskcluster/fields';
import taskcluster from 'taskcluster-client';
import { ownWords } from '../../../queue/refusal-text.ts';
import { UserError } from '../../../user-error.ts';

/** A task of a deployment. */
export interface UpstreamTask {
  rootUrl: string;
  taskId: string;
}

/**
 * The task that is named by the address of its page, or by `--root-url` and `--task-id`; nothing if a file is meant.
 *
 * @throws UserError
 */
export function upstreamTask(
  file: string | undefined,
  { rootUrl, taskId }: { rootUrl?: string; taskId?: string },
): UpstreamTask | undefined {
  if (taskId !== undefined) {
    const root = rootUrl ?? process.env.TASKCLUSTER_ROOT_URL;
    if (root === undefined || !URL.canParse(root)) {
      throw new UserError(
        '--task-id needs the deployment: add --root-url https://HOST, or set TASKCLUSTER_ROOT_URL',
      );
    }
    return { rootUrl: root.replace(/\/+$/, ''), taskId: checked(taskId, '--task-id') };
  }
  if (!/^https?:\/\//.test(file ?? '')) {
    return undefined;
  }
  const { origin, pathname } = new URL(file as string);
  const id = /^\/(?:tasks|api\/queue\/v1\/task)\/([^/]+)/.exec(pathname)?.[1];
  if (id === undefined) {
    throw new UserError(
      `${file}: not the address of a task; give one such as ${origin}/tasks/fN4hV0r2Q1CnR9kIwSxVMA`,
    );
  }
  return { rootUrl: origin, taskId: checked(id, file as string) };
}

function checked(taskId: string, where: string): string {
  if (!SLUGID.test(taskId)) {
    throw new UserError(`${where}: '${taskId}' is no taskId, which has 22 letters, digits, "-" and "_"`);
  }
  return taskId;
}

/** @throws UserError */
export async function fetchDefinition({ rootUrl, taskId }: UpstreamTask): Promise<Record<string, unknown>> {
  const queue = new taskcluster.Queue({ rootUrl, retries: 1 });
  try {
    return await queue.task(taskId);
  } catch (error) {
    throw new UserError(upstreamError(`task ${taskId}`, rootUrl, error));
  }
}

/** Why something could not be had of a deployment, and what to do about it. */
export function upstreamError(what: string, rootUrl: string, error: unknown): string {
  const { statusCode, message } = error as { statusCode?: number; message: string };
  if (statusCode === 404) {
    return `${rootUrl} has no ${what}`;
  }
  return statusCode === 401 || statusCode === 403
    ? `${rootUrl} does not give ${what} to everybody, and only what is public can be had`
    : `${what} could not be fetched from ${rootUrl}: ${ownWords(message)}`;
}
