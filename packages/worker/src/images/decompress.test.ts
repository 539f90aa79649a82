import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import type { Compression } from './artifact-path.ts';
import { decompress } from './decompress.ts';

const content = Buffer.concat([randomBytes(300_000), Buffer.alloc(2_000_000)]);
const lz4 = spawnSync('lz4', ['-c'], { input: content, maxBuffer: 10_000_000 }).stdout;

const compressed: [Compression, Buffer][] = [
  ['none', content],
  ['gzip', gzipSync(content)],
  ['zstd', zstdCompressSync(content)],
  ['lz4', lz4],
];

test.each(compressed)('%s', async (compression, bytes) => {
  expect((await buffer(decompress(chunks(bytes), compression))).equals(content)).toBe(true);
});

test.each(compressed.slice(1))('%s that ends too early is an error', async (compression, bytes) => {
  await expect(buffer(decompress(chunks(bytes.subarray(0, 200_000)), compression))).rejects.toThrow();
});

test.each(compressed.slice(1))('what is not %s is an error', async (compression) => {
  await expect(buffer(decompress(chunks(randomBytes(500_000)), compression))).rejects.toThrow();
});

test.each(compressed)('a failure of the source of %s is what the reader gets', async (compression, bytes) => {
  const failing = (async function* () {
    yield bytes.subarray(0, 100_000);
    throw new Error('the connection was lost');
  })();

  await expect(buffer(decompress(failing, compression))).rejects.toThrow('the connection was lost');
});

test.each(compressed)('a reader of %s may leave at any time', async (compression, bytes) => {
  let left = false;
  const source = (async function* () {
    try {
      yield* chunks(bytes);
    } finally {
      left = true;
    }
  })();

  for await (const _ of decompress(source, compression)) {
    break;
  }
  // The source ends with the stream that reads it.
  while (!left) {
    await new Promise(setImmediate);
  }
});

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) {
    yield bytes.subarray(at, at + 65_536);
  }
}
