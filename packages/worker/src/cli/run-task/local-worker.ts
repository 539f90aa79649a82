import { hostname } from 'node:os';
import { WorkerConfig } from '../../config/config.ts';

/** The pool that `run-task` creates its tasks in; the embedded Taskcluster has no other. */
export const localPool = { provisionerId: 'local', workerType: 'run-task' } as const;

/**
 * Configuration of the worker behind `run-task`. All such workers of a host share one name: what one leaves
 * behind when it is killed, the next removes.
 */
export function localWorkerConfig(
  taskcluster: { rootUrl: string; credentials: { clientId: string; accessToken: string } },
  capacity: number,
): WorkerConfig {
  return WorkerConfig.parse({
    rootUrl: taskcluster.rootUrl,
    taskcluster: taskcluster.credentials,
    ...localPool,
    workerGroup: 'local',
    workerId:
      hostname()
        .replace(/[^A-Za-z0-9_-]/g, '-')
        .slice(0, 38) || 'localhost',
    workerNodeType: 'local',
    publicIp: '127.0.0.1',
    capacity,
    logging: { liveLogAddress: '127.0.0.1' },
  });
}
