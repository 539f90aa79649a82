import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression } from './artifact-path.ts';
import { zstdFrames } from './zstd-frames.ts';

type Bytes = AsyncIterable<Buffer>;

/** The bytes as they were before compression. */
export function decompress(bytes: Bytes, compression: Compression): Bytes {
  switch (compression) {
    case 'none':
      return bytes;
    case 'gzip':
      return through(bytes, createGunzip());
    case 'zstd':
      return through(zstdFrames(bytes), createZstdDecompress());
    case 'lz4':
      return unlz4(bytes);
  }
}

async function* through(bytes: Bytes, stream: NodeJS.ReadWriteStream & Readable): AsyncGenerator<Buffer> {
  // An error on either side destroys the stream, and so reaches whoever reads it.
  const fed = pipeline(bytes, stream as unknown as NodeJS.WritableStream);
  fed.catch(() => {});
  try {
    yield* stream as AsyncIterable<Buffer>;
    await fed;
  } finally {
    stream.destroy();
  }
}

/** Node has no LZ4, and the command is on every host that had an earlier docker-worker. */
async function* unlz4(bytes: Bytes): AsyncGenerator<Buffer> {
  const child = spawn('lz4', ['-d', '-c'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = once(child, 'close') as Promise<[number | null]>;
  closed.catch(() => {});
  const complaint = Readable.from(child.stderr).toArray();
  complaint.catch(() => {});
  // Told apart from a failure to feed the command, which only follows from what the command says itself.
  let lost: Error | undefined;
  const source = async function* () {
    try {
      yield* bytes;
    } catch (error) {
      lost = error as Error;
      throw error;
    }
  };
  const fed = pipeline(source, child.stdin).catch(() => void child.kill());
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const [code] = await closed.catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error('the command lz4 is not on this worker') : error;
    });
    await fed;
    if (lost !== undefined) {
      throw lost;
    }
    if (code !== 0) {
      const text = Buffer.concat(await complaint)
        .toString()
        .trim();
      throw new Error(`not an LZ4 archive: ${text}`);
    }
  } finally {
    child.kill();
  }
}
