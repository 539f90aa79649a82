import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ownProcess } from '../ownership/process-identity.ts';
import { makeRunFolder, sweepRunFolders } from './run-folder.ts';

const owner = { worker: 'pool/type/group/worker', taskRun: 'abc/0' };
let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'run-folder-'));
});

afterEach(() => rm(parent, { recursive: true }));

test('nobody else can look into a folder, and it goes with its content', async () => {
  const folder = await makeRunFolder(owner, parent);
  await writeFile(join(folder.path, 'task.log'), 'a line');

  expect((await stat(folder.path)).mode & 0o777).toBe(0o700);
  await folder[Symbol.asyncDispose]();

  expect(await readdir(parent)).toEqual([]);
});

test('folders of processes that have ended are swept, of one worker or of all; others stay', async () => {
  await using own = await makeRunFolder(owner, parent);
  await using other = await makeRunFolder({ ...owner, worker: 'pool/type/group/other' }, parent);
  // Of a boot before this one.
  const dead = [own, other].map(({ path }) =>
    path.replace(ownProcess.replaceAll(':', '.'), 'boot.4026531836.1.1'),
  );
  const strangers = ['docker-worker-run-of-somebody', 'something-else'].map((name) => join(parent, name));
  await Promise.all([...dead, ...strangers].map((path) => mkdir(path)));

  expect(await sweepRunFolders(owner.worker, parent)).toMatchObject({ removed: 1, ofOthers: [] });
  expect(await sweepRunFolders(undefined, parent)).toMatchObject({ removed: 1, ofOthers: [] });

  const left = [own.path, other.path, ...strangers].map((path) => basename(path));
  expect((await readdir(parent)).sort()).toEqual(left.sort());
});

test('folders of other persons are left to them, and told', async () => {
  await using own = await makeRunFolder(owner, parent);
  const dead = own.path.replace(ownProcess.replaceAll(':', '.'), 'boot.4026531836.1.1');
  await mkdir(dead);
  const somebodyElse = (process.getuid?.() ?? 0) + 1;

  expect(await sweepRunFolders(undefined, parent, somebodyElse)).toEqual({ removed: 0, ofOthers: [dead] });
  expect(await sweepRunFolders(undefined, parent, 0)).toEqual({ removed: 1, ofOthers: [] });
});
