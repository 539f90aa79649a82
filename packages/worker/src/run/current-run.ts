import { AsyncLocalStorage } from 'node:async_hooks';

export interface RunId {
  taskId: string;
  runId: number;
}

const storage = new AsyncLocalStorage<RunId>();

/** Does work for a run: whatever comes of it, later events included, can be asked whose it is. */
export function inRun<T>(run: RunId, work: () => T): T {
  return storage.run(run, work);
}

/** The run that the caller works for; none where many may have caused it. */
export function currentRun(): RunId | undefined {
  return storage.getStore();
}
