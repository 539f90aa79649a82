import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { countStreamed } from '@docker-worker/service-kit/streamed-bytes';
import { parallelGzip } from './parallel-gzip.ts';

const gzip = promisify(gzipCallback);

/** Content up to this size stays in memory; larger content goes through a file. */
const memoryLimit = 256 * 1024;

/** Content is compressed meanwhile, which takes far longer than the collections do. */
const collectionStep = 2 * 1024 * 1024;

/** Bytes ready to be sent, as often as it takes; disposing removes what was written to disk for them. */
export interface Spooled extends AsyncDisposable {
  /** Number of bytes to send. */
  length: number;
  gzipped: boolean;
  /** Of the bytes before compression. */
  original: Content;
  /** The bytes from the start; every call gives a new stream. */
  open(): Buffer | Readable;
}

export interface Content {
  /** Lower-case hexadecimal. */
  sha256: string;
  size: number;
}

export interface SpoolOptions {
  gzip: boolean;
  /** 1 is fastest, 9 is smallest; default 6. */
  level?: number;
  /** The system's own by default. */
  tempDir?: string;
  signal?: AbortSignal;
  /** Told how many bytes are about to be written to disk; what it throws ends the spooling. */
  onWrite?(bytes: number): void;
}

export function spoolBytes(bytes: Buffer, options: SpoolOptions): Promise<Spooled> {
  return spoolInMemory(bytes, options);
}

/** The file is read twice when it is not compressed, so it has to be finished. */
export async function spoolFile(path: string, options: SpoolOptions): Promise<Spooled> {
  const { size } = await stat(path);
  const source = createReadStream(path);
  return options.gzip || size <= memoryLimit
    ? await spoolStream(source, size, options)
    : await spoolInPlace(path, source, options);
}

/** Takes `source` to its end. `size` is how many bytes it will give at most. */
export async function spoolStream(
  source: AsyncIterable<Buffer>,
  size: number,
  options: SpoolOptions,
): Promise<Spooled> {
  return size <= memoryLimit
    ? await spoolInMemory(await buffer(source), options)
    : await spoolOnDisk(source, options);
}

async function spoolInMemory(bytes: Buffer, options: SpoolOptions): Promise<Spooled> {
  const stored = options.gzip ? await gzip(bytes, { level: options.level }) : bytes;
  const measure = new Measure();
  measure.add(bytes);
  return {
    length: stored.length,
    gzipped: options.gzip,
    original: measure.content(),
    open: () => stored,
    async [Symbol.asyncDispose]() {},
  };
}

async function spoolOnDisk(source: AsyncIterable<Buffer>, options: SpoolOptions): Promise<Spooled> {
  const path = join(options.tempDir ?? tmpdir(), `artifact-${randomUUID()}`);
  const measure = new Measure();
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    const { signal, level, onWrite } = options;
    const original = measure.pass(source);
    const stored = options.gzip ? parallelGzip(original, { level }) : original;
    await pipeline(onWrite === undefined ? stored : announced(stored, onWrite), file, { signal });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return {
    length: file.bytesWritten,
    gzipped: options.gzip,
    original: measure.content(),
    open: () => readCounted(path),
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  };
}

async function spoolInPlace(path: string, source: Readable, options: SpoolOptions): Promise<Spooled> {
  const measure = new Measure();
  await pipeline(source, (chunks: AsyncIterable<Buffer>) => measure.drain(chunks), {
    signal: options.signal,
  });
  const original = measure.content();
  return {
    length: original.size,
    gzipped: false,
    original,
    open: () => readCounted(path),
    async [Symbol.asyncDispose]() {},
  };
}

function readCounted(path: string): Readable {
  return createReadStream(path)
    .on('data', (chunk) => countStreamed(chunk.length, collectionStep))
    .pause();
}

async function* announced(
  source: AsyncIterable<Buffer>,
  onWrite: (bytes: number) => void,
): AsyncIterable<Buffer> {
  for await (const chunk of source) {
    onWrite(chunk.length);
    yield chunk;
  }
}

/** Counts and hashes the bytes that pass. */
class Measure {
  readonly #hash = createHash('sha256');
  #size = 0;

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    countStreamed(chunk.length, collectionStep);
  }

  async *pass(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const chunk of source) {
      this.add(chunk);
      yield chunk;
    }
  }

  async drain(source: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of source) {
      this.add(chunk);
    }
  }

  content(): Content {
    return { sha256: this.#hash.digest('hex'), size: this.#size };
  }
}
