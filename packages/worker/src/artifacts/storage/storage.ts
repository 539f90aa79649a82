import type { Client } from 'taskcluster-client';
import type { Spooled } from './spool.ts';

/** The run that gets an artifact. */
export interface ArtifactRun {
  /** A client with the credentials of this moment; it is asked for at every call of the queue. */
  queue(): Client;
  taskId: string;
  runId: number;
  /** Told when something about an artifact has failed and will be tried again. */
  onRetry?(name: string, error: unknown): void;
}

/** What a run gives to each of its uploads. */
export interface ArtifactTarget extends ArtifactRun {
  /** Default: {@link s3Storage}. */
  storage?: ArtifactStorage;
}

export interface ArtifactProperties {
  name: string;
  contentType: string;
  /** RFC 3339. */
  expires: string;
}

/** How the bytes of an artifact reach Taskcluster. */
export interface ArtifactStorage {
  /** Whether it keeps a Content-Encoding, so that bytes may be stored compressed. */
  keepsEncoding: boolean;
  /**
   * One attempt: creates the artifact, sends all bytes, and rejects with the first error. The caller decides
   * about another attempt, which it makes with the same `artifact` object.
   */
  store(
    run: ArtifactRun,
    artifact: ArtifactProperties,
    content: Spooled,
    signal?: AbortSignal,
  ): Promise<void>;
}
