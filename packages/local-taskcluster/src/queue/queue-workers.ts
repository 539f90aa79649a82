import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

/** How many of a worker's tasks are remembered. */
const MOST_RECENT = 20;
/** How long a worker is remembered after it was last seen. */
const LIFE_MS = 24 * 3600_000;

export interface QuarantineDetail {
  clientId: string;
  updatedAt: string;
  quarantineUntil: string;
  quarantineInfo: string;
}

/** A worker as the queue knows it: by its claims. Times are ISO 8601 texts. */
export interface QueueWorker {
  taskQueueId: string;
  workerGroup: string;
  workerId: string;
  firstClaim: string;
  lastDateActive: string;
  expires: string;
  recentTasks: { taskId: string; runId: number }[];
  quarantineUntil?: string;
  quarantineDetails?: QuarantineDetail[];
}

export type WorkerIdentity = Pick<QueueWorker, 'taskQueueId' | 'workerGroup' | 'workerId'>;

/** The workers that have asked for work, or that somebody has declared or quarantined. */
export class QueueWorkers {
  /** Keys are `<taskQueueId>/<workerGroup>/<workerId>`. */
  readonly collection: Collection<QueueWorker>;

  constructor(database: Database) {
    this.collection = new Collection(database, 'queue-worker');
  }

  get(identity: WorkerIdentity): QueueWorker | undefined {
    return this.collection.get(keyOf(identity));
  }

  /** The worker has asked for work, or something has been changed about it. */
  touch(identity: WorkerIdentity, change: Partial<QueueWorker> = {}): QueueWorker {
    const now = new Date();
    const known = this.get(identity) ?? { ...identity, firstClaim: now.toJSON(), recentTasks: [] };
    const worker = {
      ...known,
      lastDateActive: now.toJSON(),
      expires: new Date(now.getTime() + LIFE_MS).toJSON(),
      ...change,
    };
    this.collection.put(keyOf(identity), worker);
    return worker;
  }

  took(identity: WorkerIdentity, tasks: QueueWorker['recentTasks']): void {
    const recentTasks = [...(this.get(identity)?.recentTasks ?? []), ...tasks].slice(-MOST_RECENT);
    this.touch(identity, { recentTasks });
  }

  isQuarantined({ quarantineUntil }: QueueWorker): boolean {
    return quarantineUntil !== undefined && new Date(quarantineUntil) > new Date();
  }

  /** The task queues that workers have asked, each with when that was last. */
  queues(): Map<string, string> {
    const workers = this.collection.values();
    const latest = new Map<string, string>();
    for (const { taskQueueId, lastDateActive } of workers) {
      const known = latest.get(taskQueueId) ?? '';
      latest.set(taskQueueId, laterOf(known, lastDateActive));
    }
    return latest;
  }
}

/** Of two ISO 8601 texts. */
export function laterOf(one: string, other: string): string {
  return [one, other].sort()[1] ?? other;
}

function keyOf({ taskQueueId, workerGroup, workerId }: WorkerIdentity): string {
  return `${taskQueueId}/${workerGroup}/${workerId}`;
}
