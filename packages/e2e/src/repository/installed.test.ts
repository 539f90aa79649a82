import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { Command } from '../harness/command.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { ThrowawayEngine } from '../harness/throwaway-engine.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../../..');

test('what a release packs is installed and runs a task on a machine without this repository', async () => {
  await using folder = await makeTempDir();
  await using engine = await ThrowawayEngine.start();
  const { stdout } = await run(process.execPath, [join(repository, 'deploy/pack.ts'), folder.path]);
  const [packed = '', images = ''] = stdout.trim().split('\n');
  const prefix = join(folder.path, 'prefix');
  // No registry is needed, and none is asked.
  await run('npm', ['install', '--global', '--offline', '--prefix', prefix, packed]);
  const program = join(prefix, 'bin/docker-worker');
  const elsewhere = { program, cwd: folder.path, env: { DOCKER_HOST: engine.host } };

  await using before = new Command(['check'], elsewhere);
  expect(await before.exited).toBe(1);
  expect(before.stdout).toContain('docker-worker images load FILE');
  await using wrong = new Command(['images', 'load', packed], elsewhere);
  expect(await wrong.exited).toBe(125);
  expect(wrong.stderr).toContain(`${packed} is no archive of images`);
  await using load = new Command(['images', 'load', images], elsewhere);
  expect(await load.exited).toBe(0);
  await using after = new Command(['check'], elsewhere);
  expect(await after.exited).toBe(0);

  const hello = ['run-task', join(repository, 'examples/hello.yml')];
  await using task = new Command([...hello, '--secret', 'examples/hello={"greeting":"installed"}'], {
    ...{ program, cwd: folder.path },
  });
  expect(await task.exited).toBe(0);
  expect(task.stdout).toContain('The secret says: installed');
});
