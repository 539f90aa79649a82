import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
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

const skippable = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('extra')]);
const withChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const several: [string, Compression, Buffer[]][] = [
  ['gzip of several members', 'gzip', [gzipSync('one '), gzipSync('two')]],
  [
    'lz4 of several frames',
    'lz4',
    ['one ', 'two'].map((input) => spawnSync('lz4', ['-c'], { input }).stdout),
  ],
  ['zstd of several frames', 'zstd', [zstdCompressSync('one '), zstdCompressSync('two', withChecksum)]],
  [
    'zstd with frames to skip',
    'zstd',
    [skippable, zstdCompressSync('one '), skippable, zstdCompressSync('two'), skippable],
  ],
  [
    'zstd with empty frames',
    'zstd',
    [zstdCompressSync(''), zstdCompressSync('one two'), zstdCompressSync('', withChecksum)],
  ],
];

test.each(several)('%s, however it is cut', async (_, compression, parts) => {
  const bytes = Buffer.concat(parts);
  for (const size of [1, 3, 7, bytes.length]) {
    expect((await buffer(decompress(chunks(bytes, size), compression))).toString()).toBe('one two');
  }
});

test('zstd of many large frames with blocks of all kinds', async () => {
  const bytes = Buffer.concat(Array.from({ length: 5 }, () => zstdCompressSync(content, withChecksum)));
  const unpacked = await buffer(decompress(chunks(bytes), 'zstd'));
  expect(unpacked.equals(Buffer.concat(Array.from({ length: 5 }, () => content)))).toBe(true);
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

async function* chunks(bytes: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}
