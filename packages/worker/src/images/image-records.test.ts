import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ImageRecords } from './image-records.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-records-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function names(records: ImageRecords): Promise<string[][]> {
  return (await records.list()).map((record) => record.names);
}

test('a later worker knows what an earlier one has fetched', async () => {
  await new ImageRecords(join(folder, 'new')).write(['a:latest', 'a:sha256-1']);

  expect(await names(new ImageRecords(join(folder, 'new')))).toEqual([['a:latest', 'a:sha256-1']]);
});

test('the longest unused image comes first', async () => {
  const records = new ImageRecords(folder);
  await records.write(['a:1']);
  await records.write(['b:1']);
  for (const { names: both } of await records.list()) {
    await records.touch(both[0] ?? '');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const [first = [], second = []] = await names(records);

  await records.touch(first[0] ?? '');

  expect(await names(records)).toEqual([second, first]);
});

test('many runs may record the same image at once', async () => {
  const records = new ImageRecords(folder);

  await Promise.all(Array.from({ length: 20 }, () => records.write(['a:1'])));

  expect(await names(records)).toEqual([['a:1']]);
});

test('an image that no worker has fetched stays unknown when it is used', async () => {
  const records = new ImageRecords(folder);

  await records.touch('theirs:1');

  expect(await names(records)).toEqual([]);
});

test('what has been forgotten, and what is no record, is not listed', async () => {
  const records = new ImageRecords(folder);
  await records.write(['a:1']);
  await writeFile(join(folder, 'broken.json'), '{');
  await utimes(join(folder, 'broken.json'), 0, 0);

  for (const record of await records.list()) {
    await records.forget(record);
  }

  expect(await names(records)).toEqual([]);
});
