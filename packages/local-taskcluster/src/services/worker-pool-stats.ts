import { type Endpoint, endpoint } from '../api/endpoint.ts';
import { answerPage, listPage } from '../api/page.ts';
import type { WorkerPoolError, WorkerPools } from './worker-pools.ts';

/** Endpoints with figures of worker pools. Workers here come from no launch configurations. */
export function poolStatsEndpoints(pools: WorkerPools): Endpoint[] {
  return [
    ...[
      {
        name: 'listWorkerPoolLaunchConfigs',
        path: 'launch-configs',
        answer: { workerPoolLaunchConfigs: [] },
      },
      { name: 'workerPoolStats', path: 'stats', answer: { launchConfigStats: [] } },
    ].map(({ name, path, answer }) =>
      endpoint({
        name,
        method: 'get',
        route: `/worker-pool/<workerPoolId>/${path}`,
        scopes: 'worker-manager:get-worker-pool:<workerPoolId>',
        handle({ params }) {
          pools.pool(params.workerPoolId);
          return answer;
        },
      }),
    ),
    endpoint({
      name: 'listWorkerPoolsStats',
      method: 'get',
      route: '/worker-pools/stats',
      scopes: 'worker-manager:list-worker-pools',
      handle: ({ query }) =>
        answerPage('workerPoolsStats', listPage(pools.pools, query), ({ workerPoolId }) => ({
          workerPoolId,
          ...pools.stats(workerPoolId),
        })),
    }),
    endpoint({
      name: 'workerPoolErrorStats',
      method: 'get',
      route: '/worker-pool-errors/stats',
      scopes: 'worker-manager:list-worker-pool-errors:<workerPoolId>',
      scopeParameters: ({ query }) => ({ workerPoolId: query.workerPoolId ?? '' }),
      handle({ query: { workerPoolId = '' } }) {
        const errors = pools.errors.values(workerPoolId === '' ? {} : { prefix: `${workerPoolId}/` });
        return {
          workerPoolId,
          totals: {
            total: errors.length,
            daily: countBy(errors, ({ reported }) => reported.slice(0, 10)),
            hourly: countBy(errors, ({ reported }) => `${reported.slice(0, 13)}:00:00.000Z`),
            title: countBy(errors, ({ title }) => title),
            code: {},
            launchConfig: {},
            workerPool: countBy(errors, (error) => error.workerPoolId),
          },
        };
      },
    }),
  ];
}

function countBy(
  errors: WorkerPoolError[],
  keyOf: (error: WorkerPoolError) => string,
): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(errors, keyOf)].map(([key, { length }]) => [key, length]));
}
