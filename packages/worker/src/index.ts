export { WorkerConfig } from './config/config.ts';
export type { Outcome } from './run/execute.ts';
export type { Run } from './run/run.ts';
export { startWorker, type Worker, type WorkerOptions } from './worker.ts';
