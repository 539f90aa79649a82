import { mkdir, mkdtempDisposable, open, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { processEngine } from '../../taskcluster-access/testing/process-engine.ts';
import { makeTaskVolume } from './task-volume.ts';

const owner = { worker: 'worker', taskRun: 'task/0' };

test('the volume has the programs and the script, and pipes that lead to the worker and back', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'volume-'));
  const [programs, volume] = ['programs', 'volume'].map((name) => join(folder.path, name)) as [
    string,
    string,
  ];
  await mkdir(programs);
  await mkdir(volume);
  await writeFile(join(programs, 'busybox'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  await using engine = await processEngine({
    rewrite: (word) =>
      word.replaceAll('/opt/for-containers', programs).replaceAll('/.taskclusterutils', volume),
  });

  await using made = await makeTaskVolume(engine.engine, owner, 'image');

  expect(made.bind).toMatch(/^docker-worker\.shell\.task-0\.[0-9a-f]{6}:\/\.taskclusterutils:ro$/);
  expect((await stat(join(volume, 'busybox'))).mode & 0o777).toBe(0o755);
  expect(await readFile(join(volume, 'run.sh'), 'utf8')).toContain(`> ${volume}/ended`);

  await writeFile(join(volume, 'ended'), '7\n');
  expect(await made.ended).toBe('7');

  await using leave = await open(join(volume, 'leave'), 'r+');
  made.release();
  expect((await leave.read(Buffer.alloc(1), 0, 1)).bytesRead).toBe(1);
});

test('a container that cannot make it is an error with its words', async () => {
  await using engine = await processEngine({
    rewrite: (word) => word.replaceAll('/opt/for-containers', '/nowhere'),
  });

  await expect(makeTaskVolume(engine.engine, owner, 'image')).rejects.toThrow('/nowhere');
});
