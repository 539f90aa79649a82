import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { pack } from 'tar-stream';
import { makeTaskFolder } from './task-folder.ts';

test('the exit code comes through one pipe, the leave to end goes through another', async () => {
  await using made = await taskFolder();
  await writeFile(made.at('ended'), '137\n');
  expect(await made.folder.ended).toBe('137');
  const read = promisify(execFile)('head', ['-n', '1', made.at('leave')]);
  made.folder.release();

  expect((await read).stdout).toBe('\n');
});

test('a leave that was given before anybody waits for it is not lost', async () => {
  await using made = await taskFolder();
  made.folder.release();

  expect((await promisify(execFile)('head', ['-n', '1', made.at('leave')])).stdout).toBe('\n');
});

test('a task that writes something else has an exit code that is not known, and fills nothing', async () => {
  await using made = await taskFolder();
  const flood = execFile('sh', ['-c', `exec head -c 10000000 /dev/zero > ${made.at('ended')}`]);

  expect(await made.folder.ended).toBe('unknown');
  // What nobody reads holds up its writer.
  expect(flood.exitCode).toBeNull();
  flood.kill();
});

test('anybody in the container can use the pipes, and run the programs', async () => {
  await using made = await taskFolder();
  const archive = pack();
  archive.entry({ name: 'programs/', type: 'directory' });
  archive.entry({ name: 'programs/busybox' }, 'a program');
  archive.entry({ name: 'programs/../../escaped' }, 'no');
  archive.entry({ name: 'programs/link', type: 'symlink', linkname: '/etc/passwd' });
  archive.finalize();
  await made.folder.addPrograms?.(archive as never);

  expect((await readdir(made.path)).sort()).toEqual(['busybox', 'ended', 'leave', 'run.sh']);
  expect(await readFile(made.at('busybox'), 'utf8')).toBe('a program');
  const mode = async (name: string) => (await stat(made.at(name))).mode & 0o777;
  expect([await mode('busybox'), await mode('ended'), await mode('leave')]).toEqual([0o755, 0o666, 0o666]);
  expect(made.folder.bind).toBe(`${made.path}:/.taskclusterutils:ro`);
});

async function taskFolder() {
  const state = await mkdtemp(join(tmpdir(), 'docker-worker-state-'));
  const folder = await makeTaskFolder(state);
  const path = folder.bind.split(':')[0] ?? '';
  return {
    folder,
    path,
    at: (name: string) => join(path, name),
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await rm(state, { recursive: true });
    },
  };
}
