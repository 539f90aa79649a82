import { workerPoolId } from '../../config/config.ts';
import { type Run, rootUrlInside } from '../../run/run.ts';

/**
 * The environment of a task: what features contribute, overridden by `payload.env`, overridden by the
 * reserved names. What the worker does not know is left out.
 */
export function taskEnvironment(
  { taskId, runId, host }: Run,
  contributed: Record<string, string>,
  own: Record<string, string> = {},
): string[] {
  const { config } = host;
  const reserved: Record<string, string | undefined> = {
    TASK_ID: taskId,
    RUN_ID: String(runId),
    TASKCLUSTER_ROOT_URL: rootUrlInside(host),
    TASKCLUSTER_WORKER_TYPE: config.workerType,
    TASKCLUSTER_WORKER_POOL: workerPoolId(config),
    TASKCLUSTER_WORKER_GROUP: config.workerGroup,
    TASKCLUSTER_INSTANCE_TYPE: config.workerNodeType,
    TASKCLUSTER_PUBLIC_IP: config.publicIp,
    TASKCLUSTER_WORKER_LOCATION: config.workerLocation,
  };
  return Object.entries({ ...contributed, ...own, ...reserved })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
}
