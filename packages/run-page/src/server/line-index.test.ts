import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FileLog } from '../testing/file-log.ts';
import { LineIndex } from './line-index.ts';

/** Lines of so many characters each, numbered. */
function numbered(lines: number, length: number): string[] {
  return Array.from({ length: lines }, (_, each) => `${each} `.padEnd(length, 'x'));
}

test('every line is found, whatever lies between the blocks of the file', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (lengths, endsWithFeed) => {
        const lines = lengths.map((length, each) => `${each}`.padEnd(length, String(each % 10)));
        await using log = await FileLog.create(lines.join('\n') + (endsWithFeed ? '\n' : ''));
        const index = new LineIndex(log);

        for (const [number, line] of lines.entries()) {
          const [read] = await index.read(number, 1);
          expect(read?.slice(0, 4000)).toBe(line.slice(0, 4000));
        }
        expect(await index.read(lines.length, 5)).toEqual([]);
      },
    ),
    { numRuns: 30 },
  );
});

test('a log that grows has more lines, of which the last one may go on', async () => {
  await using log = await FileLog.create('one\ntw');
  const index = new LineIndex(log);
  expect(await index.extend()).toEqual({ lines: 2, bytes: 6, ended: false });
  expect(await index.read(0, 10)).toEqual(['one', 'tw']);

  await log.write('o\n');
  log.end();

  expect(await index.extend()).toEqual({ lines: 2, bytes: 8, ended: true });
  expect(await index.read(1, 10)).toEqual(['two']);
  await log.write(`${numbered(20_000, 20).join('\n')}\n`);
  expect(await index.extend()).toMatchObject({ lines: 20_002 });
  expect(await index.read(19_002, 2)).toEqual(numbered(20_000, 20).slice(19_000, 19_002));
});

test('an empty log has no lines', async () => {
  await using log = await FileLog.create();
  const index = new LineIndex(log);

  expect(await index.extend()).toEqual({ lines: 0, bytes: 0, ended: false });
  expect(await index.read(0, 10)).toEqual([]);
});

test('of a line that a progress bar writes over, what it last was is given', async () => {
  await using log = await FileLog.create('a\n 10%\r 20%\r100%\r\n\rx\r\nlast 1\rlast 2');
  const index = new LineIndex(log);

  expect(await index.read(0, 10)).toEqual(['a', '100%', 'x', 'last 2']);
});

test('a line of megabytes costs neither its reader nor its server as much', async () => {
  const bar = Array.from({ length: 40_000 }, (_, each) => `\rprogress ${each} ${'#'.repeat(40)}`).join('');
  await using log = await FileLog.create(`first\n${'z'.repeat(3_000_000)}\n${bar}\nlast`);
  const index = new LineIndex(log);

  const [first, long = '', progress, last] = await index.read(0, 10);

  expect([first, progress, last]).toEqual(['first', `progress 39999 ${'#'.repeat(40)}`, 'last']);
  expect(long).toMatch(/^z{4096}… \(a long line: see the raw log\)$/);
});

test('bytes that are no UTF-8 do not disturb the lines', async () => {
  await using log = await FileLog.create(Buffer.from([0xff, 0xfe, 10, 0xc3, 10, 0, 10]));

  expect(await new LineIndex(log).read(0, 10)).toEqual(['\ufffd\ufffd', '\ufffd', '\0']);
});
