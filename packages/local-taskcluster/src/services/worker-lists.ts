import { type Endpoint, endpoint } from '../api/endpoint.ts';
import { answerPage, type PageQuery, slicePage } from '../api/page.ts';
import { ApiError } from '../errors.ts';
import { matches } from '../queue/endpoints/worker-endpoints.ts';
import type { QueueWorker, QueueWorkers } from '../queue/queue-workers.ts';
import { describeWorker, type PoolWorker, type WorkerPools } from './worker-pools.ts';

/** Endpoints that list workers: those that are registered, and what the queue knows of them. */
export function workerListEndpoints(pools: WorkerPools, queueWorkers: QueueWorkers): Endpoint[] {
  return [
    endpoint({
      name: 'listWorkersForWorkerPool',
      method: 'get',
      route: '/workers/<workerPoolId>',
      scopes: 'worker-manager:list-workers:<workerPoolId>',
      handle: ({ params: { workerPoolId }, query }) =>
        page(`${workerPoolId}/`, query, ({ state }) => state === (query.state ?? state)),
    }),
    endpoint({
      name: 'listWorkersForWorkerGroup',
      method: 'get',
      route: '/workers/<workerPoolId>/<workerGroup>',
      scopes: 'worker-manager:list-workers:<workerPoolId>/<workerGroup>',
      handle: ({ params: { workerPoolId, workerGroup }, query }) =>
        page(`${workerPoolId}/${workerGroup}/`, query),
    }),
    endpoint({
      name: 'listWorkers',
      method: 'get',
      route: '/provisioners/<provisionerId>/worker-types/<workerType>/workers',
      scopes: 'worker-manager:list-workers:<provisionerId>/<workerType>',
      handle({ params: { provisionerId, workerType }, query }) {
        const all = seen(`${provisionerId}/${workerType}/`)
          .filter(({ value }) => matches(query.quarantined, queueWorkers.isQuarantined(value)))
          .filter(({ key }) => stateOf(key) === (query.workerState ?? stateOf(key)));
        return answerPage('workers', slicePage(all, query), (worker, key) => summary(key, worker));
      },
    }),
    endpoint({
      name: 'getWorker',
      method: 'get',
      route: '/provisioners/<provisionerId>/worker-types/<workerType>/workers/<workerGroup>/<workerId>',
      scopes: 'worker-manager:get-worker:<provisionerId>/<workerType>/<workerGroup>/<workerId>',
      handle({ params: { provisionerId, workerType, workerGroup, workerId } }) {
        const key = `${provisionerId}/${workerType}/${workerGroup}/${workerId}`;
        const worker = queueWorkers.collection.get(key);
        if (worker === undefined) throw new ApiError('ResourceNotFound', 'Worker not found');
        const { taskQueueId: workerPoolId, ...rest } = worker;
        return { provisionerId, workerType, workerPoolId, ...rest, ...registered(key) };
      },
    }),
  ];

  function page(prefix: string, query: PageQuery, wanted: (worker: PoolWorker) => boolean = () => true) {
    const all = pools.workers.list({ prefix }).filter(({ value }) => wanted(value));
    return answerPage('workers', slicePage(all, query), describeWorker);
  }

  function seen(prefix: string) {
    return queueWorkers.collection.list({ prefix });
  }

  /** One that nobody registered works all the same, with credentials of its own. */
  function stateOf(key: string): string {
    return pools.workers.get(key)?.state ?? 'standalone';
  }

  function registered(key: string): object {
    const worker = pools.workers.get(key);
    return {
      state: stateOf(key),
      ...(worker && { capacity: worker.capacity, providerId: worker.providerId }),
    };
  }

  function summary(key: string, worker: QueueWorker): object {
    const { taskQueueId, workerGroup, workerId, firstClaim, lastDateActive, quarantineUntil } = worker;
    const latestTask = worker.recentTasks.at(-1);
    return {
      ...{ workerPoolId: taskQueueId, workerGroup, workerId, firstClaim, lastDateActive },
      ...(quarantineUntil && { quarantineUntil }),
      ...(latestTask && { latestTask }),
      ...registered(key),
    };
  }
}
