import type { PageLog, Phase } from '@docker-worker/run-page';

/** What a worker in this process knows of a run beside what the queue does. */
export interface RunDetails {
  phases: Phase[];
  /** The log, while the worker has it. */
  log: PageLog | undefined;
  /** The page of a shell in its container. */
  shell: string | undefined;
}

export interface WorkerRuns {
  details(taskId: string, runId: number): Promise<RunDetails | undefined>;
  /** Calls `listener` when something of that is other than it was, until the returned function is called. */
  onChange(listener: () => void): () => void;
}
