import type { Service } from '../api/endpoint.ts';
import { healthEndpoints } from '../api/health.ts';
import { artifactEndpoints } from './endpoints/artifact-endpoints.ts';
import { claimEndpoints } from './endpoints/claim-endpoints.ts';
import { countEndpoints } from './endpoints/count-endpoints.ts';
import { priorityEndpoints } from './endpoints/priority-endpoints.ts';
import { taskEndpoints } from './endpoints/task-endpoints.ts';
import { workerEndpoints } from './endpoints/worker-endpoints.ts';
import type { Queue } from './queue.ts';

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
