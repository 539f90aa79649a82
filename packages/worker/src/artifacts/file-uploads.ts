import { Slots } from '../async/slots.ts';
import type { Entry } from './archive.ts';
import { contentTypeOf, isCompressible } from './content-type.ts';
import type { ArtifactDestination } from './destination.ts';
import { errorText } from './error-text.ts';
import { s3Storage } from './storage/s3-storage.ts';
import { spoolStream } from './storage/spool.ts';
import { UploadError, uploadSpooled } from './upload-file.ts';

/** The files of all artifacts of a run: read one after another from each archive, uploaded side by side. */
export class FileUploads {
  /** Why something could not be uploaded. */
  readonly errors: unknown[] = [];
  /** Whether any of that was for a storage or a queue that could not be reached. */
  outage = false;
  readonly #destination: ArtifactDestination;
  readonly #slots: Slots;
  /** Who has a name already. */
  readonly #owners = new Map<string, string>();

  /** @param declared the artifacts that have their names whatever else is found */
  constructor(destination: ArtifactDestination, declared: Iterable<string> = []) {
    this.#destination = destination;
    this.#slots = new Slots(destination.concurrency ?? 8);
    for (const name of declared) {
      this.#owners.set(name, name);
    }
    for (const name of destination.reserved ?? []) {
      this.#owners.set(name, '');
    }
  }

  /** Takes a name for a file of a directory; why it cannot have it, if another artifact has. */
  taken(name: string, directory: string): string | undefined {
    const owner = this.#owners.get(name);
    if (owner === undefined) {
      this.#owners.set(name, directory);
      return undefined;
    }
    return owner === '' ? 'the worker makes that artifact itself' : `the artifact "${owner}" has that name`;
  }

  /**
   * Resolves when `entry` has been read; `uploaded` then tells how the upload went, which never rejects: a
   * failure is in the log by then. Under each of its names it is an artifact of its own.
   */
  async start(
    names: readonly string[],
    expires: string,
    entry: Entry,
  ): Promise<{ uploaded: Promise<'stored' | 'refused' | 'outage'> }> {
    const { signal, tempDir, skipCompressionExtensions, storage = s3Storage } = this.#destination;
    const slot = await this.#slots.take();
    try {
      signal.throwIfAborted();
      const content = await spoolStream(entry, entry.header.size, {
        gzip: storage.keepsEncoding && names.every((name) => isCompressible(name, skipCompressionExtensions)),
        tempDir,
        signal,
      });
      const upload = async (name: string, place: Disposable | undefined) => {
        using _slot = place ?? (await this.#slots.take());
        const started = performance.now();
        await uploadSpooled(content, {
          ...this.#destination,
          name,
          expires,
          contentType: contentTypeOf(name),
        });
        const seconds = (performance.now() - started) / 1000;
        this.#destination.onUploaded?.(name, content.original, seconds);
      };
      const uploads = names.map((name, index) =>
        this.#outcome(name, upload(name, index === 0 ? slot : undefined)),
      );
      return { uploaded: this.#all(uploads, content) };
    } catch (error) {
      slot[Symbol.dispose]();
      throw error;
    }
  }

  /** The worst of all; the content is not needed after them. */
  async #all(
    uploads: Promise<'stored' | 'refused' | 'outage'>[],
    content: AsyncDisposable,
  ): Promise<'stored' | 'refused' | 'outage'> {
    await using _ = content;
    const outcomes = await Promise.all(uploads);
    return (['outage', 'refused'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'stored';
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
    this.errors.push(error);
    this.outage ||= error instanceof UploadError && error.outage;
    if (this.#destination.signal.aborted) {
      return;
    }
    const message = error instanceof UploadError ? error.reason : errorText(error);
    this.#destination.log.error(`Error uploading "${name}" artifact. ${message}`);
  }
}
