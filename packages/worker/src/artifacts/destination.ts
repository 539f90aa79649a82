import type { RetryLimits } from '../async/retry.ts';
import type { Content } from './storage/spool.ts';
import type { ArtifactTarget } from './storage/storage.ts';

/** Where the artifacts of a run go, and who hears about it. */
export interface ArtifactDestination extends ArtifactTarget {
  /** RFC 3339; for artifacts that name no expiration of their own. */
  taskExpires: string;
  /** Names that end like this are uploaded as they are, all others compressed. */
  skipCompressionExtensions: readonly string[];
  /** Where large files are kept until they are uploaded. */
  tempDir: string;
  /** Lines of the task's log. */
  log: { worker(text: string): void; error(text: string): void };
  /** Names that belong to others. */
  reserved?: ReadonlySet<string>;
  signal: AbortSignal;
  /** How many files are read and uploaded at once; default 8. */
  concurrency?: number;
  /** Called for each file that has been uploaded, with its full artifact name and how long that took. */
  onUploaded?(name: string, content: Content, seconds: number): void;
  limits?: RetryLimits;
}
