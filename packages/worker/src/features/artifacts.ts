import { uploadArtifacts } from '../artifacts/upload-artifacts.ts';
import type { Feature } from './feature.ts';

/** Uploads what `payload.artifacts` names once the container has exited. */
export const artifacts: Feature = {
  name: 'artifacts',
  defaultOn: true,
  async prepare(run, payload) {
    return {
      onExited: (container, signal) =>
        uploadArtifacts(container, payload.artifacts ?? {}, {
          queue: run.queue,
          taskId: run.taskId,
          runId: run.runId,
          taskExpires: run.task.expires,
          skipCompressionExtensions: run.host.config.artifacts.skipCompressionExtensions,
          tempDir: run.tempDir,
          log: run.log,
          storage: run.storage,
          onUploaded: (name, { sha256 }) => void run.uploaded.set(name, { sha256 }),
          signal,
        }),
    };
  },
};
