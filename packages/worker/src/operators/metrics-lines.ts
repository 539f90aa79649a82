import { type WorkerConfig, workerPoolId } from '../config/config.ts';

export type MetricsEvent =
  | 'instanceBoot'
  | 'workerReady'
  | 'taskQueue'
  | 'taskStart'
  | 'taskFinish'
  | 'instanceShutdown';

export interface MetricsFields {
  /** Default: now. */
  at?: Date;
  taskId?: string;
  runId?: number;
}

/**
 * Lines `WORKER_METRICS {json}` in the words of the original docker-worker, which dashboards of costs read
 * from the logs of machines. Timestamps are seconds since the epoch.
 */
export class MetricsLines {
  readonly #config: WorkerConfig;
  readonly #write: (text: string) => void;

  constructor(config: WorkerConfig, write: (text: string) => void) {
    this.#config = config;
    this.#write = write;
  }

  tell(eventType: MetricsEvent, { at = new Date(), taskId, runId }: MetricsFields = {}): void {
    const { workerId, region, instanceType } = this.#config;
    const event = {
      ...{ eventType, worker: 'docker-worker', workerPoolId: workerPoolId(this.#config), workerId },
      timestamp: Math.floor(at.getTime() / 1000),
      ...{ region, instanceType, taskId, runId },
    };
    // The blank line keeps it at the start of a line whatever was written before.
    this.#write(`\nWORKER_METRICS ${JSON.stringify(event)}\n`);
  }
}
