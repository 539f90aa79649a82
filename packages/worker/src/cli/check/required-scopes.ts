import { type WorkerConfig, workerPoolId } from '../../config/config.ts';
import type { RequiredScope } from '../../features/feature.ts';
import { featuresOf } from '../../features/index.ts';

/** What the client of a worker's credentials must have, beside what every client has by the role `anonymous`. */
export function scopesOfWorker(config: WorkerConfig): RequiredScope[] {
  const pool = workerPoolId(config);
  const without = 'no task can be claimed';
  return [
    { scope: `queue:claim-work:${pool}`, without },
    { scope: `queue:worker-id:${config.workerGroup}/${config.workerId}`, without },
    {
      scope: 'auth:expand-scopes',
      without:
        'a task that has its rights by roles, "assume:…", is given back where they have to be looked at',
    },
    ...featuresOf(config).flatMap((feature) => feature.workerScopes?.(config) ?? []),
  ];
}

/** What tasks, and people who look at them, are expected to have without any credentials. */
export const scopesOfEverybody: readonly RequiredScope[] = [
  {
    scope: 'index:find-task:*',
    without: 'images named by the index (indexed-image) are found only by tasks with a scope for them',
  },
  {
    scope: 'queue:get-artifact:public/*',
    without:
      'images that other tasks made (task-image) are refused, and nobody reads a log without signing in',
  },
];
