import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeSharedFolder, sweepSharedFolders } from './shared-folder.ts';

test('a folder is for its container and the worker alone, and leaves nothing', async () => {
  await using state = await stateDirectory();
  const folder = await makeSharedFolder(state.path);

  expect((await stat(folder.path)).mode & 0o777).toBe(0o755);
  expect((await stat(state.shared)).mode & 0o777).toBe(0o700);
  await writeFile(join(folder.path, 'file'), '');
  await folder[Symbol.asyncDispose]();
  expect(await readdir(state.shared)).toEqual([]);
});

test('folders of processes that have ended are swept, those of living ones stay', async () => {
  await using state = await stateDirectory();
  await using own = await makeSharedFolder(state.path);
  const boot = 'a boot before this one:4026531836:1:1';
  await mkdir(join(state.shared, 'dead'));
  await writeFile(join(state.shared, `dead~${boot}`), '');
  await mkdir(join(state.shared, 'unowned'));
  await writeFile(join(state.shared, `unmade~${boot}`), '');

  expect(await sweepSharedFolders(state.path)).toBe(3);
  const left = (await readdir(state.shared)).map((name) => name.split('~')[0]);
  expect(left).toEqual([basename(own.path), basename(own.path)]);
});

test('there may be nothing to sweep', async () => {
  await using state = await stateDirectory();
  expect(await sweepSharedFolders(join(state.path, 'absent'))).toBe(0);
});

async function stateDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'docker-worker-state-'));
  return {
    path,
    shared: join(path, 'shared'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}
