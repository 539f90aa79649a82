export { WorkerConfig } from './config-file/worker-config.ts';
export { bridgeGateway } from './engine/bridge-gateway.ts';
export { connectEngine, type Engine } from './engine/engine.ts';
export { profileText } from './features/allow-ptrace/profile-text.ts';
export type { WorkerStatus } from './operators/worker-status.ts';
export type { OpenShell } from './run/open-shell.ts';
export type { Outcome } from './run/outcome.ts';
export type { Run } from './run/run.ts';
export { startWorker, type Worker, type WorkerOptions } from './worker.ts';
