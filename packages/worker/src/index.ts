export { WorkerConfig } from './config/config.ts';
export { bridgeGateway } from './engine/bridge-gateway.ts';
export { connectEngine, type Engine } from './engine/engine.ts';
export type { WorkerStatus } from './operators/worker-status.ts';
export { profileText } from './ptrace/profile-text.ts';
export type { Outcome } from './run/execute.ts';
export type { Run } from './run/run.ts';
export { startWorker, type Worker, type WorkerOptions } from './worker.ts';
