import { ApiError } from '../errors.ts';
import type { JsonObject } from '../fields.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

export interface WorkerPool {
  workerPoolId: string;
  providerId: string;
  description: string;
  created: string;
  lastModified: string;
  config: JsonObject;
  owner: string;
  emailOnError: boolean;
}

export interface PoolWorker {
  workerPoolId: string;
  workerGroup: string;
  workerId: string;
  providerId: string;
  created: string;
  expires: string;
  lastModified: string;
  lastChecked: string;
  capacity: number;
  state: 'requested' | 'running' | 'stopping' | 'stopped';
  /** Proves the worker's identity when it registers. */
  staticSecret: string;
  /** Changes with each registration. */
  reregistrationSecret?: string;
}

export interface WorkerPoolError {
  workerPoolId: string;
  errorId: string;
  reported: string;
  kind: string;
  title: string;
  description: string;
  extra: JsonObject;
}

/** Worker pools, their workers, and what went wrong with those. */
export class WorkerPools {
  readonly pools: Collection<WorkerPool>;
  /** Keys are `<workerPoolId>/<workerGroup>/<workerId>`. */
  readonly workers: Collection<PoolWorker>;
  /** Keys are `<workerPoolId>/<errorId>`. */
  readonly errors: Collection<WorkerPoolError>;

  constructor(database: Database) {
    this.pools = new Collection(database, 'worker-pool');
    this.workers = new Collection(database, 'worker');
    this.errors = new Collection(database, 'worker-pool-error');
  }

  /** Throws ResourceNotFound. */
  pool(workerPoolId: string): WorkerPool {
    const pool = this.pools.get(workerPoolId);
    if (!pool) throw new ApiError('ResourceNotFound', `Worker pool \`${workerPoolId}\` does not exist`);
    return pool;
  }

  /** Throws ResourceNotFound. */
  worker(workerPoolId: string, workerGroup: string, workerId: string): PoolWorker {
    const worker = this.workers.get(`${workerPoolId}/${workerGroup}/${workerId}`);
    if (!worker) throw new ApiError('ResourceNotFound', 'Worker not found');
    return worker;
  }

  saveWorker(worker: PoolWorker): void {
    this.workers.put(`${worker.workerPoolId}/${worker.workerGroup}/${worker.workerId}`, worker);
  }

  workersOf(workerPoolId: string): PoolWorker[] {
    return this.workers.values({ prefix: `${workerPoolId}/` });
  }

  /** Nobody starts workers for it any more; it is gone when it has none. Returns what it was. */
  retire(workerPoolId: string): object {
    const pool = { ...this.pool(workerPoolId), providerId: 'null-provider' };
    if (this.workersOf(workerPoolId).every(({ state }) => state === 'stopped'))
      this.pools.delete(workerPoolId);
    else this.pools.put(workerPoolId, pool);
    return this.describePool(pool);
  }

  /**
   * Whether a worker is to end: when its pool has been deleted, or its pool's `config.maxCapacity`, if it has one, is
   * exceeded by it and those that were there before it.
   */
  verdict(worker: PoolWorker): { terminate: boolean; reason: string } {
    const { providerId, config } = this.pool(worker.workerPoolId);
    if (providerId !== worker.providerId) return { terminate: true, reason: 'the worker pool was deleted' };
    const earlier = this.workersOf(worker.workerPoolId).filter(
      ({ state, created }) => state === 'running' && created <= worker.created,
    );
    const used = earlier.reduce((sum, { capacity }) => sum + capacity, 0);
    const over = typeof config.maxCapacity === 'number' && used > config.maxCapacity;
    return { terminate: over, reason: over ? 'over capacity' : 'needed' };
  }

  /** As the API shows it. */
  describePool(pool: WorkerPool): object {
    return { ...pool, ...this.stats(pool.workerPoolId) };
  }

  /** Workers and their capacity, by state. */
  stats(workerPoolId: string): object {
    const workers = this.workersOf(workerPoolId);
    const counts = (['requested', 'running', 'stopping', 'stopped'] as const).flatMap((state) => {
      const inState = workers.filter((worker) => worker.state === state);
      const capacity = inState.reduce((sum, worker) => sum + worker.capacity, 0);
      return [
        [`${state}Count`, inState.length],
        [`${state}Capacity`, capacity],
      ];
    });
    const active = workers.filter(({ state }) => state === 'requested' || state === 'running');
    const currentCapacity = active.reduce((sum, { capacity }) => sum + capacity, 0);
    return { currentCapacity, ...Object.fromEntries(counts) };
  }
}

/** As the API shows it: without secrets. */
export function describeWorker({
  staticSecret: _s,
  reregistrationSecret: _r,
  ...worker
}: PoolWorker): object {
  return worker;
}
