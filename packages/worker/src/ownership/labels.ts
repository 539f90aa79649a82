import { ownProcess, type ProcessIdentity } from './process-identity.ts';

/** Labels on everything that the worker makes on the Docker host. */
export const label = {
  /** `<provisionerId>/<workerType>/<workerGroup>/<workerId>` */
  worker: 'docker-worker.worker',
  /** The worker's process; see ProcessIdentity. */
  process: 'docker-worker.process',
  /** `<taskId>/<runId>` */
  taskRun: 'docker-worker.task-run',
  /** `task`, `network`, or `sidecar:<name>` */
  role: 'docker-worker.role',
} as const;

/** Who owns what is made for a task run. */
export interface Owner {
  worker: string;
  taskRun: string;
}

export function ownershipLabels(owner: Owner, role: string): Record<string, string> {
  return {
    [label.worker]: owner.worker,
    [label.process]: ownProcess satisfies ProcessIdentity,
    [label.taskRun]: owner.taskRun,
    [label.role]: role,
  };
}
