import { z } from 'zod';
import { mayPass, type RetryLimits, retry } from '../async/retry.ts';
import { ownWords } from '../queue/refusal-text.ts';
import { errorText } from './error-text.ts';
import { s3Storage } from './storage/s3-storage.ts';
import { type Content, type Spooled, spoolBytes, spoolFile } from './storage/spool.ts';
import type { ArtifactProperties, ArtifactTarget } from './storage/storage.ts';

export interface FileUpload extends ArtifactTarget, ArtifactProperties, UploadOptions {
  /** The path of a finished file, or the bytes themselves. */
  source: string | Buffer;
  /** Stores the bytes compressed, with `Content-Encoding: gzip`, where the storage keeps that; default false. */
  gzip?: boolean;
  /** Where compressed copies of large files go meanwhile; the system's own directory by default. */
  tempDir?: string;
}

export interface UploadOptions {
  signal?: AbortSignal;
  limits?: RetryLimits;
}

/**
 * Uploads one file as an artifact of a run, and gives the hash and size of its bytes before compression.
 *
 * Throws {@link UploadError} when it is refused or when its attempts are used up, and the signal's reason
 * when that aborts.
 */
export async function uploadFile(upload: FileUpload): Promise<Content> {
  const { source, gzip = false, tempDir, signal, storage = s3Storage } = upload;
  const options = { gzip: gzip && storage.keepsEncoding, tempDir, signal };
  await using content =
    typeof source === 'string' ? await spoolFile(source, options) : await spoolBytes(source, options);
  await uploadSpooled(content, upload);
  return content.original;
}

/** The upload of bytes that are ready; the caller disposes of them. */
export async function uploadSpooled(
  content: Spooled,
  upload: ArtifactTarget & ArtifactProperties & UploadOptions,
): Promise<void> {
  const { name, signal, limits, storage = s3Storage } = upload;
  const onRetry = (error: unknown) => upload.onRetry?.(name, error);
  try {
    await retry(() => storage.store(upload, upload, content, signal), {
      ...limits,
      signal,
      onRetry,
      untilReached: signal !== undefined,
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw new UploadError(upload.name, error);
  }
}

export class UploadError extends Error {
  readonly artifact: string;
  /** The cause alone, for a place that names the artifact itself. */
  readonly reason: string;
  /** The storage or the queue was not reachable, so that other artifacts will hardly do better. */
  readonly outage: boolean;

  constructor(artifact: string, cause: unknown) {
    const reason = reasonOf(cause);
    super(`Artifact "${artifact}" could not be uploaded: ${reason}`, { cause });
    this.name = 'UploadError';
    this.artifact = artifact;
    this.reason = reason;
    this.outage = mayPass(cause);
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof z.ZodError) {
    return `the queue’s answer to createArtifact was not understood: ${z.prettifyError(cause)}`;
  }
  return ownWords(errorText(cause));
}
