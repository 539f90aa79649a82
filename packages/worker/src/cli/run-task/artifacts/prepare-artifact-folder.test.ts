import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { prepareArtifactFolder } from './prepare-artifact-folder.ts';

let parent: string;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'artifact-folder-'));
  await writeFile(join(parent, 'file'), '');
});
afterAll(() => rm(parent, { recursive: true }));

test('a folder that is there or not, with those above it, is made and left empty', async () => {
  const folder = join(parent, 'a/b/c');
  await prepareArtifactFolder(folder);
  await prepareArtifactFolder(folder);

  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ['file', /: it is a file, or below one; name a folder that you may write to$/],
  ['file/below', /: it is a file, or below one; /],
])('%s is refused', async (name, message) => {
  await expect(prepareArtifactFolder(join(parent, name))).rejects.toThrow(message);
});

test.each(['/proc/x', '/proc/x/y'])('%s, where no folder can be made, is refused at once', async (folder) => {
  await expect(prepareArtifactFolder(folder)).rejects.toThrow(
    `--artifacts ${folder}: no folder can be made there`,
  );
});
