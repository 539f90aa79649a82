import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LineTooLongError, readLines } from './read-lines.ts';

test('lines come out whole, however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll('\n', ''))),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );

        expect(await Array.fromAsync(readLines(Readable.from(chunks), 1_000))).toEqual(lines);
      },
    ),
  );
});

test('a line that is too long is refused before it is held as a whole', async () => {
  const endless = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(100, 'x')));

  await expect(Array.fromAsync(readLines(endless, 1_000))).rejects.toThrow(LineTooLongError);
});

test('a last line without its end is left out', async () => {
  expect(await Array.fromAsync(readLines(Readable.from([Buffer.from('a\nb')]), 10))).toEqual(['a']);
});
