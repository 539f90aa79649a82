import type { PayloadSchema } from '../../../payload/payload.ts';
import { readTaskText, type TaskFile } from '../../task-file/read-task-file.ts';
import { localDefinition } from './local-definition.ts';
import { fetchDefinition, type UpstreamTask } from './upstream-task.ts';

/**
 * A task of a deployment, as it can run here.
 *
 * @throws UserError
 */
export async function readUpstream(task: UpstreamTask, schema: PayloadSchema): Promise<TaskFile> {
  const { taskId, rootUrl } = task;
  const local = localDefinition(await fetchDefinition(task));
  const text = JSON.stringify({ taskId, task: local.task }, null, 2);
  const read = await readTaskText({ file: `${rootUrl}/tasks/${taskId}`, stem: 'task', text }, schema);
  const name = read.tasks[0]?.name;
  return { ...read, notices: [...local.notices.map((notice) => `${name}: ${notice}`), ...read.notices] };
}
