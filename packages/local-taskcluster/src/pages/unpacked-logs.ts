import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { PageLog } from '@docker-worker/run-page';
import type { BlobStore } from '../blobs/blob-store.ts';

/** Of a log that claims to be longer, the beginning is shown. */
const mostBytes = 4 * 1024 ** 3;

/** The logs that somebody has looked at after their runs, uncompressed in a temporary folder of their own. */
export class UnpackedLogs implements AsyncDisposable {
  readonly #blobs: BlobStore;
  readonly #logs = new Map<string, Promise<PageLog | undefined>>();
  readonly #closing = new AbortController();
  #folder: Promise<string> | undefined;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Each log is unpacked once. Undefined when it has not been uploaded. */
  get(blobId: string): Promise<PageLog | undefined> {
    const known = this.#logs.get(blobId);
    if (known) return known;
    const unpacking = this.#unpack(blobId);
    this.#logs.set(blobId, unpacking);
    unpacking.then(
      (log) => log ?? this.#logs.delete(blobId),
      () => this.#logs.delete(blobId),
    );
    return unpacking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#logs.values());
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #unpack(blobId: string): Promise<PageLog | undefined> {
    const blob = await this.#blobs.open(blobId);
    if (!blob) return undefined;
    this.#folder ??= mkdtemp(join(tmpdir(), 'local-taskcluster-logs-'));
    const path = join(await this.#folder, blobId);
    let bytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const taken = chunk.subarray(0, Math.max(0, mostBytes - bytes));
        bytes += taken.length;
        done(null, taken);
      },
    });
    const unpacked = blob.contentEncoding === 'gzip' ? [createGunzip()] : [];
    await pipeline([blob.stream, ...unpacked, counted, createWriteStream(path, { mode: 0o600 })], {
      signal: this.#closing.signal,
    });
    return { path, bytes, ended: true, onGrowth: () => () => {} };
  }
}
