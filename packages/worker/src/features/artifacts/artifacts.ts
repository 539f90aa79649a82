import { UploadsFailed, uploadArtifacts } from '../../artifacts/upload-artifacts.ts';
import { artifactTarget } from '../../run/artifact-target.ts';
import { RunFailure } from '../../run/resolution.ts';
import type { Feature } from '../feature.ts';

/** Uploads what `payload.artifacts` names once the container has exited. */
export const artifacts: Feature = {
  name: 'artifacts',
  description: 'Uploads the artifacts that the payload declares',
  defaultOn: true,
  async prepare(run, payload) {
    return {
      onExited: (container, signal) =>
        uploadArtifacts(container, payload.artifacts ?? {}, {
          ...artifactTarget(run),
          taskExpires: run.task.expires,
          skipCompressionExtensions: run.host.config.artifacts.skipCompressionExtensions,
          tempDir: run.tempDir,
          log: run.log,
          reserved: run.reservedArtifacts,
          onUploaded(name, { sha256, size }, seconds) {
            run.logger.info({ size, seconds }, `Uploading ${name}`);
            run.uploaded.set(name, { sha256 });
            run.host.onStep?.(run);
            run.host.metrics?.artifacts.inc();
            run.host.metrics?.artifactBytes.inc(size);
            run.host.metrics?.artifactSeconds.observe(seconds);
          },
          limits: { maxAttempts: run.host.config.artifacts.maxAttempts },
          signal,
        }).catch(retried),
    };
  },
};

/** A run whose artifacts the storage did not take for as long as we tried is given to the queue again. */
function retried(error: Error): never {
  throw error instanceof UploadsFailed && error.outage
    ? new RunFailure({ kind: 'exception', reason: 'intermittent-task' }, error.message, { cause: error })
    : error;
}
