import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FileLog } from '../testing/file-log.ts';
import { findInLog } from './find-in-log.ts';

test('the lines that have a text are found, whatever its case', async () => {
  await using log = await FileLog.create('One error\nfine\nERROR: error\nÄrger\nerror');

  expect(await findInLog(log, 'Error')).toEqual({ lines: [0, 2, 4], more: false });
  expect(await findInLog(log, 'Ärger')).toEqual({ lines: [3], more: false });
  expect(await findInLog(log, 'nowhere')).toEqual({ lines: [], more: false });
});

test('a text is found wherever it lies in a long log', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 700_000 }), { minLength: 1, maxLength: 4 }),
      async (gaps) => {
        const lines = gaps.flatMap((gap) => ['.'.repeat(gap), 'needle']);
        await using log = await FileLog.create(lines.join('\n'));

        const { lines: found } = await findInLog(log, 'needle');

        expect(found).toEqual(gaps.map((_, each) => each * 2 + 1));
      },
    ),
    { numRuns: 20 },
  );
});

test('no more than so many are given, and that there are more is said', async () => {
  await using log = await FileLog.create('x\n'.repeat(50));

  expect(await findInLog(log, 'x', { most: 3 })).toEqual({ lines: [0, 1, 2], more: true });
  expect((await findInLog(log, 'x', { most: 50 })).more).toBe(false);
});

test('a search that nobody waits for any more ends', async () => {
  await using log = await FileLog.create('x\n'.repeat(50));

  await expect(findInLog(log, 'y', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});
