import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { countLineFeeds } from './count-line-feeds.ts';

const oneByOne = (bytes: Buffer) => bytes.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);

test('line feeds are counted wherever they are, whatever is beside them', () => {
  // Bytes that differ from a line feed by one bit, and all others.
  const near = Buffer.from([10, 11, 9, 8, 14, 2, 26, 42, 74, 138, 0, 255]);
  const memory = Buffer.from(Array.from(randomBytes(5000), (byte) => near[byte % near.length] ?? byte));
  for (let from = 0; from < 9; from += 1) {
    for (const until of [from, from + 1, from + 3, from + 7, 2500, 4999, 5000]) {
      const bytes = memory.subarray(from, until);
      expect(countLineFeeds(bytes)).toBe(oneByOne(bytes));
    }
  }
  expect(countLineFeeds(randomBytes(70_000))).toBeGreaterThan(0);
});

test('many are counted', () => {
  expect(countLineFeeds(Buffer.alloc(1024 * 1024, '\n'))).toBe(1024 * 1024);
});
