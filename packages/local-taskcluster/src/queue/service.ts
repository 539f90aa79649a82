import type { Service } from '../api/endpoint.ts';
import { healthEndpoints } from '../api/health.ts';
import { artifactEndpoints } from './artifact-endpoints.ts';
import { claimEndpoints } from './claim-endpoints.ts';
import { countEndpoints } from './count-endpoints.ts';
import { priorityEndpoints } from './priority-endpoints.ts';
import type { Queue } from './queue.ts';
import { taskEndpoints } from './task-endpoints.ts';
import { workerEndpoints } from './worker-endpoints.ts';

export function queueService(queue: Queue): Service {
  return {
    name: 'queue',
    endpoints: [
      ...healthEndpoints(),
      ...taskEndpoints(queue),
      ...claimEndpoints(queue),
      ...artifactEndpoints(queue),
      ...countEndpoints(queue),
      ...priorityEndpoints(queue),
      ...workerEndpoints(queue),
    ],
  };
}
