import { execFile } from 'node:child_process';
import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { makeTempDir } from '../harness/temp-dir.ts';

const run = promisify(execFile);
const setup = join(import.meta.dirname, '../../../../deploy/files/usr/local/lib/docker-worker/setup');

test('the ephemeral disk gets the data of the engine, of the worker and the caches, with what was there', async () => {
  await using folder = await makeTempDir();
  await using disk = await loopDevice(folder.path);

  const { stdout } = await boot(
    folder.path,
    { EPHEMERAL_DISK: disk.device },
    `df --output=source,target /var/lib/docker /var/lib/docker-worker /mnt/var/cache/docker-worker | tail -n +2
     cat /var/lib/docker/image`,
  );

  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/)),
  ).toEqual([
    [disk.device, '/var/lib/docker'],
    [disk.device, '/var/lib/docker-worker'],
    [disk.device, '/mnt/var/cache/docker-worker'],
    ['preloaded'],
  ]);
});

test('a disk that is none keeps the machine from working on the wrong one, and says which setting it was', async () => {
  await using folder = await makeTempDir();

  const failed = boot(folder.path, { EPHEMERAL_DISK: '/dev/none' }, 'true');

  await expect(failed).rejects.toMatchObject({
    code: 1,
    stderr: 'EPHEMERAL_DISK=/dev/none in /etc/default/docker-worker is no disk of this machine\n',
  });
});

test('modules for loopback devices are loaded with as many devices as the settings say', async () => {
  await using folder = await makeTempDir();

  const { stdout } = await boot(folder.path, { LOOPBACK_VIDEO: '2', LOOPBACK_AUDIO: '3' }, 'true');

  expect(stdout.trim().split('\n')).toEqual([
    'modprobe v4l2loopback devices=2',
    'modprobe snd-aloop enable=1,1,1',
  ]);
});

test('without settings no disk and no module is touched', async () => {
  await using folder = await makeTempDir();

  const { stdout } = await boot(folder.path, {}, 'stat --file-system --format=%T /var/lib/docker');

  expect(stdout).toBe('tmpfs\n');
});

test('a machine that is to go when its worker ends is marked so', async () => {
  await using folder = await makeTempDir();

  const { stdout } = await boot(folder.path, { POWEROFF_WHEN_DONE: 'yes' }, 'ls /etc/docker-worker');

  expect(stdout).toContain('poweroff-when-done\n');
});

/**
 * Runs the script in a mount namespace of its own, whose folders are none of this host, and a command after it. Kernel modules
 * are told instead of loaded.
 */
async function boot(folder: string, settings: Record<string, string>, then: string) {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'modprobe'), '#!/bin/sh\necho modprobe "$@"\n');
  await chmod(join(bin, 'modprobe'), 0o755);
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(folder, 'settings'), `${lines.join('\n')}\n`);
  const script = `
    mount -t tmpfs none /var/lib
    mount -t tmpfs none /mnt
    mkdir /var/lib/docker "$folder/etc" "$folder/work"
    echo preloaded > /var/lib/docker/image
    mount -t overlay -o "lowerdir=/etc,upperdir=$folder/etc,workdir=$folder/work" none /etc
    cp "$folder/settings" /etc/default/docker-worker
    "$setup"
    ${then}`;
  return await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', script], {
    env: { ...process.env, folder, setup, PATH: `${bin}:${process.env.PATH}` },
  });
}

/** An empty disk. */
async function loopDevice(folder: string): Promise<AsyncDisposable & { device: string }> {
  const file = join(folder, 'disk.img');
  await writeFile(file, '');
  await truncate(file, 64 * 1024 ** 2);
  const { stdout } = await run('losetup', ['--find', '--show', file]);
  const device = stdout.trim();
  return {
    device,
    async [Symbol.asyncDispose]() {
      await run('losetup', ['--detach', device]);
    },
  };
}
