import { issueCredentials, type TemporaryCredentials } from '../auth/certificate.ts';
import type { Client } from '../auth/clients.ts';
import { ApiError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import type { PendingTasks } from './pending-tasks.ts';
import type { QueueWorkers } from './queue-workers.ts';
import type { TaskDefinition } from './task-definition.ts';
import type { TaskLifecycle } from './task-lifecycle.ts';
import {
  type ClaimedRun,
  isClaimed,
  type Resolution,
  statusOf,
  type TaskRecord,
  type TaskStatus,
} from './task-record.ts';

export interface Worker {
  workerGroup: string;
  workerId: string;
}

export interface Reclaim extends Worker {
  status: TaskStatus;
  runId: number;
  takenUntil: string;
  credentials: TemporaryCredentials;
}

export interface Claim extends Reclaim {
  task: TaskDefinition;
}

export interface ClaimsOptions {
  database: Database;
  lifecycle: TaskLifecycle;
  pending: PendingTasks;
  workers: QueueWorkers;
  /** Signs the credentials of tasks; it has all scopes. */
  signer: Client;
  claimSeconds: number;
}

/** Who works on what, and until when. */
export class Claims {
  readonly #database: Database;
  readonly #lifecycle: TaskLifecycle;
  readonly #pending: PendingTasks;
  readonly #workers: QueueWorkers;
  readonly #signer: Client;
  readonly #claimMs: number;

  constructor({ database, lifecycle, pending, workers, signer, claimSeconds }: ClaimsOptions) {
    this.#database = database;
    this.#lifecycle = lifecycle;
    this.#pending = pending;
    this.#workers = workers;
    this.#signer = signer;
    this.#claimMs = Math.ceil(claimSeconds * 1000);
  }

  /**
   * Waits for work until the signal is aborted. Each task goes to exactly one caller. A worker that is in quarantine when it
   * asks waits in vain; one that is put there while it waits still gets what comes, as from the real queue.
   */
  claimWork(taskQueueId: string, worker: Worker, most: number, signal: AbortSignal): Promise<Claim[]> {
    const isQuarantined = this.#workers.isQuarantined(this.#workers.touch({ taskQueueId, ...worker }));
    const take = () => (isQuarantined ? [] : this.#take(taskQueueId, worker, most));
    return this.#pending.takeWhenPending(taskQueueId, take, signal);
  }

  /** Repeating the claim of the same worker gives the same claim. Throws RequestConflict for anybody else. */
  claimTask(taskId: string, runId: number, worker: Worker): Claim {
    return this.#database.transaction(() => {
      const record = this.#lifecycle.get(taskId);
      const run = record.runs[runId];
      if (!run) throw new ApiError('ResourceNotFound', `Run ${runId} not found on task \`${taskId}\``);
      if (isClaimed(run) && run.workerGroup === worker.workerGroup && run.workerId === worker.workerId) {
        return this.#claimOf(record, runId, run);
      }
      if (run.state !== 'pending' || new Date(record.task.deadline) <= new Date()) {
        throw new ApiError('RequestConflict', `Run ${runId} of task \`${taskId}\` is not pending`);
      }
      this.#pending.remove(record.task.taskQueueId, taskId);
      return this.#claim(record, worker);
    });
  }

  /** Puts back what could not be delivered to the worker. */
  release({ status: { taskId }, runId, takenUntil }: Claim): void {
    this.#database.transaction(() => {
      const record = this.#lifecycle.find(taskId);
      const run = record?.runs[runId];
      if (record && isClaimed(run) && run.takenUntil === takenUntil) this.#lifecycle.release(record, runId);
    });
  }

  /** Throws RequestConflict when the run is not running any more. */
  reclaim(taskId: string, runId: number): Reclaim {
    return this.#database.transaction(() => {
      const record = this.#lifecycle.get(taskId);
      const run = runningRun(record, runId);
      run.takenUntil = this.#newTakenUntil();
      this.#lifecycle.save(record);
      this.#lifecycle.watchClaim(taskId, runId, run.takenUntil);
      const { task: _task, ...reclaim } = this.#claimOf(record, runId, run);
      return reclaim;
    });
  }

  /** Resolving a run twice in the same way is fine; in another way throws RequestConflict. */
  report(taskId: string, runId: number, resolution: Resolution): TaskStatus {
    return this.#database.transaction(() => {
      const record = this.#lifecycle.get(taskId);
      const run = record.runs[runId];
      const isRepeated = run?.state === resolution.state && run.reasonResolved === resolution.reasonResolved;
      if (!isRepeated) {
        runningRun(record, runId);
        this.#lifecycle.resolve(record, resolution);
      }
      return statusOf(record);
    });
  }

  #take(taskQueueId: string, worker: Worker, most: number): Claim[] {
    const claims: Claim[] = [];
    while (claims.length < most) {
      const taskId = this.#pending.shift(taskQueueId);
      if (taskId === undefined) break;
      const record = this.#lifecycle.get(taskId);
      // The deadline's own timer will resolve it in this moment.
      if (new Date(record.task.deadline) <= new Date()) continue;
      claims.push(this.#database.transaction(() => this.#claim(record, worker)));
    }
    if (claims.length > 0) {
      const tasks = claims.map(({ status: { taskId }, runId }) => ({ taskId, runId }));
      this.#workers.took({ taskQueueId, ...worker }, tasks);
    }
    return claims;
  }

  #claim(record: TaskRecord, worker: Worker): Claim {
    const runId = record.runs.length - 1;
    const pending = record.runs[runId];
    if (pending?.state !== 'pending') throw new Error('Only a pending run can be claimed');
    const started = new Date().toJSON();
    const run: ClaimedRun = {
      ...pending,
      ...{ state: 'running', workerGroup: worker.workerGroup, workerId: worker.workerId },
      ...{ started, takenUntil: this.#newTakenUntil() },
    };
    record.runs[runId] = run;
    this.#lifecycle.save(record);
    this.#lifecycle.watchClaim(record.taskId, runId, run.takenUntil);
    return this.#claimOf(record, runId, run);
  }

  #claimOf(record: TaskRecord, runId: number, run: ClaimedRun): Claim {
    const { workerGroup, workerId, takenUntil } = run;
    const { taskId, task } = record;
    const expiry = new Date(takenUntil);
    const credentials = issueCredentials(this.#signer, {
      clientId: `task-client/${taskId}/${runId}/on/${workerGroup}/${workerId}/until/${expiry.getTime() / 1000}`,
      scopes: [
        `queue:reclaim-task:${taskId}/${runId}`,
        `queue:resolve-task:${taskId}/${runId}`,
        `queue:create-artifact:${taskId}/${runId}`,
        ...task.scopes,
      ],
      expiry,
    });
    return { status: statusOf(record), runId, workerGroup, workerId, takenUntil, task, credentials };
  }

  #newTakenUntil(): string {
    return new Date(Date.now() + this.#claimMs).toJSON();
  }
}

function runningRun(record: TaskRecord, runId: number): ClaimedRun {
  const run = record.runs[runId];
  if (!run) throw new ApiError('ResourceNotFound', `Run ${runId} not found on task \`${record.taskId}\``);
  if (!isClaimed(run)) {
    throw new ApiError(
      'RequestConflict',
      `Run ${runId} on task \`${record.taskId}\` is resolved or not running: it is ${run.state}` +
        (run.reasonResolved ? ` (${run.reasonResolved})` : ''),
    );
  }
  return run;
}
