export {
  type LocalTaskcluster,
  type LocalTaskclusterOptions,
  type SeenRequest,
  startLocalTaskcluster,
} from './local-taskcluster.ts';
export type { Logger } from './logger.ts';
