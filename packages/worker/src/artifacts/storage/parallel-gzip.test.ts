import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { parallelGzip } from './parallel-gzip.ts';

test.each([0, 1, 512 * 1024, 512 * 1024 + 1, 5_000_000])(
  '%d bytes come back whole, whatever reads the stream',
  async (size) => {
    const bytes = mixed(size);

    const compressed = await compress(bytes);

    expect(gunzipSync(compressed).equals(bytes)).toBe(true);
    expect(execFileSync('gzip', ['-dc'], { input: compressed, maxBuffer: size + 1 }).equals(bytes)).toBe(
      true,
    );
  },
);

test('it is one gzip member, which readers that stop after the first take whole', async () => {
  const bytes = mixed(2_000_000);

  const { stdout } = await inflateFirstMember(await compress(bytes));

  expect(stdout).toBe(bytes.length);
});

test('it is hardly larger than a stream that is made in one go', async () => {
  const bytes = Buffer.from(
    Array.from({ length: 200_000 }, (_, line) => `line ${line} of some log, ${line % 17}\n`).join(''),
  );

  expect((await compress(bytes)).length).toBeLessThan(gzipSync(bytes).length * 1.02);
});

test('an error of its source ends it', async () => {
  async function* broken() {
    yield randomBytes(1_000_000);
    throw new Error('the source broke');
  }

  await expect(buffer(parallelGzip(broken()))).rejects.toThrow('the source broke');
});

function compress(bytes: Buffer): Promise<Buffer> {
  return buffer(parallelGzip(pieces(bytes), { parallelism: 3 }));
}

async function* pieces(bytes: Buffer) {
  for (let start = 0; start < bytes.length; start += 65_521) {
    yield bytes.subarray(start, start + 65_521);
  }
}

/** Text that compresses and noise that does not. */
function mixed(size: number): Buffer {
  const noise = randomBytes(1000);
  const bytes = Buffer.alloc(size, noise);
  randomBytes(Math.floor(size / 3)).copy(bytes);
  return bytes;
}

/** Python's zlib stops at the end of the first member. */
async function inflateFirstMember(compressed: Buffer): Promise<{ stdout: number }> {
  const script =
    'import sys, zlib; print(len(zlib.decompressobj(wbits=31).decompress(sys.stdin.buffer.read())))';
  return { stdout: Number(execFileSync('python3', ['-c', script], { input: compressed })) };
}
