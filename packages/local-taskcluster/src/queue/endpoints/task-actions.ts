import { ApiError } from '../../errors.ts';
import type { TaskLifecycle } from '../task-lifecycle.ts';
import { isResolved, stateOf, type TaskRecord } from '../task-record.ts';

/** Another run of a task that is resolved or was never scheduled; of any other nothing. Throws RequestConflict. */
export function rerunTask(lifecycle: TaskLifecycle, record: TaskRecord): void {
  requireDeadlineAhead(record);
  if (isResolved(record) || stateOf(record) === 'unscheduled') lifecycle.rerun(record);
}

/** Ends a task that is not resolved yet. */
export function cancelTask(lifecycle: TaskLifecycle, record: TaskRecord): void {
  if (!isResolved(record)) lifecycle.abandon(record, 'canceled');
}

/** Throws RequestConflict. */
export function requireDeadlineAhead({ taskId, task }: TaskRecord): void {
  if (new Date(task.deadline) > new Date()) return;
  throw new ApiError('RequestConflict', `Task \`${taskId}\` is past its deadline at ${task.deadline}`);
}
