import type { ArtifactTarget } from '../artifacts/storage/storage.ts';
import type { Run } from './run.ts';

/** Where a run's artifacts go; what must be tried again is logged and counted. */
export function artifactTarget({ queue, taskId, runId, storage, logger, host }: Run): ArtifactTarget {
  return {
    ...{ queue, taskId, runId, storage },
    onRetry(artifact, error) {
      host.metrics?.artifactRetries.inc();
      logger.warn({ artifact, err: error }, 'retrying artifact upload');
    },
  };
}
