import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { folderBytes } from './folder-bytes.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-bytes-'));
  await mkdir(join(folder, 'a/b'), { recursive: true });
  await writeFile(join(folder, 'a/b/file'), Buffer.alloc(100_000, 1));
  await writeFile(join(folder, 'file'), Buffer.alloc(100_000, 1));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('all files count, and no link is followed', async () => {
  await symlink('/', join(folder, 'everything'));

  const { bytes, hasMore } = await folderBytes(folder);

  expect(hasMore).toBe(false);
  expect(bytes).toBeGreaterThanOrEqual(200_000);
  expect(bytes).toBeLessThan(300_000);
});

test('of a folder with too many files the first ones are counted', async () => {
  const { bytes, hasMore } = await folderBytes(folder, 3);

  expect(hasMore).toBe(true);
  expect(bytes).toBeLessThan(200_000);
});

test('a folder that is gone has nothing', async () => {
  expect(await folderBytes(join(folder, 'nothing'))).toEqual({ bytes: 0, hasMore: false });
});
