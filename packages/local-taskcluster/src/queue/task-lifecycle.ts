import type { Alarms } from '../alarms.ts';
import { ApiError } from '../errors.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';
import type { Changes } from './changes.ts';
import type { PendingTasks } from './pending-tasks.ts';
import type { Priority } from './task-definition.ts';
import {
  isClaimed,
  isResolved,
  type Resolution,
  type Run,
  type RunReason,
  stateOf,
  type TaskRecord,
} from './task-record.ts';

const MOST_RUNS = 50;

/** Reasons for another run of the same task, and how that run says so. */
const RETRY_REASONS: Partial<Record<Resolution['reasonResolved'], RunReason>> = {
  'worker-shutdown': 'retry',
  'claim-expired': 'retry',
  'intermittent-task': 'task-retry',
};

export interface LifecycleOptions {
  database: Database;
  alarms: Alarms;
  pending: PendingTasks;
  changes: Changes;
}

/** The tasks and every change of their state. */
export class TaskLifecycle {
  readonly collection: Collection<TaskRecord>;
  readonly #database: Database;
  readonly #alarms: Alarms;
  readonly #pending: PendingTasks;
  readonly #changes: Changes;
  readonly #onCreated: ((record: TaskRecord) => void)[] = [];
  readonly #onResolved: ((record: TaskRecord) => void)[] = [];

  constructor({ database, alarms, pending, changes }: LifecycleOptions) {
    this.collection = new Collection(database, 'task');
    this.#database = database;
    this.#alarms = alarms;
    this.#pending = pending;
    this.#changes = changes;
  }

  /** Called within the transaction that creates a task. */
  onCreated(listener: (record: TaskRecord) => void): void {
    this.#onCreated.push(listener);
  }

  /** Called within the transaction that resolves a task for good. */
  onResolved(listener: (record: TaskRecord) => void): void {
    this.#onResolved.push(listener);
  }

  find(taskId: string): TaskRecord | undefined {
    return this.collection.get(taskId);
  }

  /** Throws ResourceNotFound. */
  get(taskId: string): TaskRecord {
    const record = this.find(taskId);
    if (!record) {
      throw new ApiError('ResourceNotFound', `Task \`${taskId}\` not found. Are you sure it was created?`);
    }
    return record;
  }

  create(record: TaskRecord): void {
    this.save(record);
    for (const listener of this.#onCreated) listener(record);
  }

  save(record: TaskRecord): void {
    this.collection.put(record.taskId, record);
    this.#changes.tell();
  }

  /** Arms the timers and queues of the tasks that an earlier process left behind. */
  resume(): void {
    for (const record of this.collection.values()) {
      if (isResolved(record)) continue;
      this.watchDeadline(record);
      const run = record.runs.at(-1);
      if (run?.state === 'pending') this.#announce(record);
      if (isClaimed(run)) this.watchClaim(record.taskId, record.runs.length - 1, run.takenUntil);
    }
  }

  /** Adds a pending run, which a worker may claim as soon as the transaction is kept. */
  addRun(record: TaskRecord, reasonCreated: RunReason): void {
    record.runs.push({ state: 'pending', reasonCreated, scheduled: new Date().toJSON() });
    this.save(record);
    this.#announce(record);
  }

  /** Resolves the last run. Where the reason allows it, and retries are left, another run follows. */
  resolve(record: TaskRecord, resolution: Resolution): void {
    const runId = record.runs.length - 1;
    const run = record.runs[runId];
    if (!run) throw new Error('There is no run to resolve');
    this.#pending.remove(record.task.taskQueueId, record.taskId);
    this.#alarms.cancel(claimAlarm(record.taskId, runId));
    Object.assign(run, resolution, { resolved: new Date().toJSON() });
    const retry = RETRY_REASONS[resolution.reasonResolved];
    if (retry && record.retriesLeft > 0) {
      record.retriesLeft -= 1;
      this.addRun(record, retry);
      return;
    }
    this.#alarms.cancel(deadlineAlarm(record.taskId));
    this.save(record);
    for (const listener of this.#onResolved) listener(record);
  }

  /** Ends a task that is not resolved yet; one that was never scheduled gets a run that says why. */
  abandon(record: TaskRecord, reasonResolved: 'canceled' | 'deadline-exceeded'): void {
    if (stateOf(record) === 'unscheduled') {
      record.runs.push({ state: 'pending', reasonCreated: 'exception', scheduled: new Date().toJSON() });
    }
    this.resolve(record, { state: 'exception', reasonResolved });
  }

  /** Another run of a resolved or unscheduled task, with all its retries. Throws RequestConflict after 50 runs. */
  rerun(record: TaskRecord): void {
    if (record.runs.length >= MOST_RUNS) {
      throw new ApiError('RequestConflict', `Task \`${record.taskId}\` has had its ${MOST_RUNS} runs`);
    }
    record.retriesLeft = Math.min(MOST_RUNS - record.runs.length - 1, record.task.retries);
    this.watchDeadline(record);
    this.addRun(record, 'rerun');
  }

  changePriority(record: TaskRecord, priority: Priority): void {
    const { taskQueueId } = record.task;
    record.task.priority = priority;
    this.save(record);
    if (stateOf(record) === 'pending') {
      this.#pending.remove(taskQueueId, record.taskId);
      this.#announce(record);
    }
  }

  /** Puts a claimed run back, as if it had never been claimed. */
  release(record: TaskRecord, runId: number): void {
    const {
      state: _state,
      workerGroup: _group,
      workerId: _worker,
      takenUntil: _until,
      started: _start,
      ...run
    } = record.runs[runId] as Run;
    this.#alarms.cancel(claimAlarm(record.taskId, runId));
    record.runs[runId] = { ...run, state: 'pending' };
    this.save(record);
    this.#announce(record);
  }

  watchDeadline({ taskId, task }: TaskRecord): void {
    this.#alarms.set(deadlineAlarm(taskId), new Date(task.deadline), () =>
      this.#database.transaction(() => {
        const record = this.find(taskId);
        if (record && !isResolved(record)) this.abandon(record, 'deadline-exceeded');
      }),
    );
  }

  watchClaim(taskId: string, runId: number, takenUntil: string): void {
    this.#alarms.set(claimAlarm(taskId, runId), new Date(takenUntil), () =>
      this.#database.transaction(() => {
        const record = this.find(taskId);
        if (record && isClaimed(record.runs[runId])) {
          this.resolve(record, { state: 'exception', reasonResolved: 'claim-expired' });
        }
      }),
    );
  }

  #announce({ taskId, task }: TaskRecord): void {
    this.#database.afterCommit(() => this.#pending.add(task.taskQueueId, taskId, task.priority));
  }
}

function deadlineAlarm(taskId: string): string {
  return `deadline/${taskId}`;
}

function claimAlarm(taskId: string, runId: number): string {
  return `claim/${taskId}/${runId}`;
}
