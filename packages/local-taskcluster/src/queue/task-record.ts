import type { Priority, TaskDefinition } from './task-definition.ts';

export type RunReason = 'scheduled' | 'retry' | 'task-retry' | 'rerun' | 'exception';

/** What the caller of reportException may say. */
export const EXCEPTION_REASONS = [
  'worker-shutdown',
  'malformed-payload',
  'resource-unavailable',
  'internal-error',
  'intermittent-task',
] as const;

export type ReportedException = (typeof EXCEPTION_REASONS)[number];

export type Resolution =
  | { state: 'completed'; reasonResolved: 'completed' }
  | { state: 'failed'; reasonResolved: 'failed' }
  | {
      state: 'exception';
      reasonResolved: ReportedException | 'claim-expired' | 'deadline-exceeded' | 'canceled';
    };

/** Times are ISO 8601 texts. */
export interface Run {
  state: 'pending' | 'running' | 'completed' | 'failed' | 'exception';
  reasonCreated: RunReason;
  scheduled: string;
  reasonResolved?: Resolution['reasonResolved'];
  workerGroup?: string;
  workerId?: string;
  takenUntil?: string;
  started?: string;
  resolved?: string;
}

/** A run that a worker holds. */
export type ClaimedRun = Run & Required<Pick<Run, 'workerGroup' | 'workerId' | 'takenUntil' | 'started'>>;

export interface TaskRecord {
  taskId: string;
  task: TaskDefinition;
  retriesLeft: number;
  runs: Run[];
}

export type TaskState = 'unscheduled' | Run['state'];

export function stateOf(record: TaskRecord): TaskState {
  return record.runs.at(-1)?.state ?? 'unscheduled';
}

export function isResolved(record: TaskRecord): boolean {
  return ['completed', 'failed', 'exception'].includes(stateOf(record));
}

export function isClaimed(run: Run | undefined): run is ClaimedRun {
  return run?.state === 'running';
}

export interface TaskStatus {
  taskId: string;
  taskQueueId: string;
  provisionerId: string;
  workerType: string;
  schedulerId: string;
  projectId: string;
  taskGroupId: string;
  priority: Priority;
  deadline: string;
  expires: string;
  retriesLeft: number;
  state: TaskState;
  runs: (Run & { runId: number })[];
}

/** The status structure of Taskcluster's API. */
export function statusOf(record: TaskRecord): TaskStatus {
  const { taskId, task, retriesLeft, runs } = record;
  return {
    taskId,
    taskQueueId: task.taskQueueId,
    provisionerId: task.provisionerId,
    workerType: task.workerType,
    schedulerId: task.schedulerId,
    projectId: task.projectId,
    taskGroupId: task.taskGroupId,
    priority: task.priority,
    deadline: task.deadline,
    expires: task.expires,
    retriesLeft,
    state: stateOf(record),
    runs: runs.map((run, runId) => ({ runId, ...run })),
  };
}
