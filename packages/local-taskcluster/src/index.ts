export {
  type LocalTaskcluster,
  type LocalTaskclusterOptions,
  type SeenRequest,
  type SeenTask,
  startLocalTaskcluster,
} from './local-taskcluster.ts';
export type { Logger } from './logger.ts';
export type { RunDetails, WorkerRuns } from './pages/worker-runs.ts';
