import { Readable } from 'node:stream';
import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import { unlessAborted } from '../../async/unless-aborted.ts';
import { untilAnswered } from '../../queue/until-answered.ts';
import { createArtifact } from './create-artifact.ts';
import type { ArtifactProperties, ArtifactStorage } from './storage.ts';

const Created = z.looseObject({
  storageType: z.literal('object'),
  name: z.string(),
  projectId: z.string(),
  uploadId: z.string(),
  expires: z.string(),
  credentials: z.looseObject({ clientId: z.string(), accessToken: z.string() }),
});

/**
 * The object service stores the bytes, by the upload method that it and the client agree on. It keeps no
 * Content-Encoding.
 */
export function objectStorage(rootUrl: string): ArtifactStorage {
  /** The queue creates an upload once: another attempt at the same artifact goes on with it. */
  const uploads = new WeakMap<ArtifactProperties, z.infer<typeof Created>>();
  return {
    keepsEncoding: false,
    async store(run, artifact, content, signal) {
      const { contentType, name } = artifact;
      const created =
        uploads.get(artifact) ??
        Created.parse(
          await createArtifact(run, name, signal, {
            storageType: 'object',
            expires: artifact.expires,
            contentType,
          }),
        );
      uploads.set(artifact, created);
      const uploading = taskcluster.upload({
        object: new taskcluster.Object({ rootUrl, credentials: created.credentials, retries: 0 }),
        projectId: created.projectId,
        name: created.name,
        uploadId: created.uploadId,
        expires: created.expires,
        contentType,
        contentLength: content.length,
        retries: 0,
        streamFactory: async () => streamOf(content.open()),
      });
      await (signal === undefined ? uploading : unlessAborted(signal, uploading));
      const { uploadId } = created;
      await untilAnswered(
        // Its answer has no body.
        async () => (await run.queue().finishArtifact(run.taskId, run.runId, name, { uploadId })) ?? {},
        { signal, onRetry: (error) => run.onRetry?.(name, error) },
      );
    },
  };
}

function streamOf(bytes: Buffer | Readable): Readable {
  return Buffer.isBuffer(bytes) ? Readable.from([bytes]) : bytes;
}
