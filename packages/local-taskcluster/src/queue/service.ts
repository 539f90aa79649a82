import type { Service } from '../api/endpoint.ts';
import { pingEndpoint } from '../api/ping.ts';
import { artifactEndpoints } from './artifact-endpoints.ts';
import { claimEndpoints } from './claim-endpoints.ts';
import type { Queue } from './queue.ts';
import { taskEndpoints } from './task-endpoints.ts';

export function queueService(queue: Queue): Service {
  return {
    name: 'queue',
    endpoints: [
      pingEndpoint(),
      ...taskEndpoints(queue),
      ...claimEndpoints(queue),
      ...artifactEndpoints(queue),
    ],
  };
}
