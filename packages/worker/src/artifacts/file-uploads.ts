import { Slots } from '../async/slots.ts';
import type { Entry } from './archive.ts';
import { contentTypeOf, isCompressible } from './content-type.ts';
import type { ArtifactDestination } from './destination.ts';
import { errorText } from './error-text.ts';
import { s3Storage } from './s3-storage.ts';
import { spoolStream } from './spool.ts';
import { UploadError, uploadSpooled } from './upload-file.ts';

/** The files of all artifacts of a run: read one after another from each archive, uploaded side by side. */
export class FileUploads {
  /** Whether anything could not be uploaded. */
  failed = false;
  /** Whether any of that was for a storage or a queue that could not be reached. */
  outage = false;
  readonly #destination: ArtifactDestination;
  readonly #slots: Slots;

  constructor(destination: ArtifactDestination) {
    this.#destination = destination;
    this.#slots = new Slots(destination.concurrency ?? 8);
  }

  /**
   * Resolves when `entry` has been read; `uploaded` then tells how the upload went, which never rejects: a
   * failure is in the log by then.
   */
  async start(
    name: string,
    expires: string,
    entry: Entry,
  ): Promise<{ uploaded: Promise<'stored' | 'refused' | 'outage'> }> {
    const { signal, tempDir, skipCompressionExtensions, storage = s3Storage } = this.#destination;
    const slot = await this.#slots.take();
    try {
      signal.throwIfAborted();
      const content = await spoolStream(entry, entry.header.size, {
        gzip: storage.keepsEncoding && isCompressible(name, skipCompressionExtensions),
        tempDir,
        signal,
      });
      const artifact = { name, expires, contentType: contentTypeOf(name) };
      const upload = async () => {
        using _slot = slot;
        await using spooled = content;
        const started = performance.now();
        await uploadSpooled(spooled, { ...this.#destination, ...artifact });
        const seconds = (performance.now() - started) / 1000;
        this.#destination.onUploaded?.(name, spooled.original, seconds);
      };
      return { uploaded: this.#outcome(name, upload()) };
    } catch (error) {
      slot[Symbol.dispose]();
      throw error;
    }
  }

  async #outcome(name: string, upload: Promise<void>): Promise<'stored' | 'refused' | 'outage'> {
    try {
      await upload;
      return 'stored';
    } catch (error) {
      this.report(name, error);
      return error instanceof UploadError && error.outage ? 'outage' : 'refused';
    }
  }

  /** The artifact's failure as a line of the log; nothing after an abort, which has a line of its own. */
  report(name: string, error: unknown): void {
    this.failed = true;
    this.outage ||= error instanceof UploadError && error.outage;
    if (this.#destination.signal.aborted) {
      return;
    }
    const message = error instanceof UploadError ? error.reason : errorText(error);
    this.#destination.log.error(`Error uploading "${name}" artifact. ${message}`);
  }
}
