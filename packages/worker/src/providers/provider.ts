import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import type { Alert } from './alerts.ts';

/** What surroundings can ask of the worker that runs in them; nothing while none does. */
export interface WorkerCommands {
  /** Claims no more; ends when the running tasks have. */
  drain(): void;
  /** Claims no more and aborts the running tasks, which the queue then gives to other workers. */
  abort(): void;
}

/** Where a worker has its configuration and credentials from, and who says when its machine has to go. */
export interface Provider extends AsyncDisposable {
  /** Its `taskcluster` is replaced whenever the worker's credentials are renewed. */
  config: WorkerConfig;
  /** Configuration keys that were found and mean nothing (any more), for the log. */
  obsoleteKeys: string[];
  /** Keeps the credentials fresh and passes notices of termination on, until disposed. */
  follow(worker: WorkerCommands, logger: Logger): void;
  /** The worker has nothing to do: a good moment to ask whether it is still wanted. */
  workerIdle(): void;
  /** Tells whoever looks after workers. Never throws; what cannot be told is lost. */
  alert(alert: Alert): void;
  /** The worker has ended of its own accord: its machine is of no use any more. */
  workerEnded(): Promise<void>;
}
