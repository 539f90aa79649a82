import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startDaemon } from './daemon.ts';
import { engineInRoom } from './engine-in-room.ts';
import type { TestEngine } from './test-engine.ts';

const run = promisify(execFile);

/** Shared with the second machine of the tests. */
const cache = join(import.meta.dirname, '../../../../../node_modules/.cache/docker-worker-engines/sid');

const packages = [
  ...['docker.io', 'docker-cli', 'containerd', 'runc', 'iptables'],
  // What a room is furnished with, and what is run in one.
  ...[
    'bash',
    'coreutils',
    'dash',
    'grep',
    'iproute2',
    'mount',
    'procps',
    'util-linux',
    'xz-utils',
    'libstdc++6',
    'findutils',
  ],
];

/** The newest Docker Engine that Debian has, with containerd's image store. */
export async function newestDocker(): Promise<TestEngine> {
  const usr = await unpacked();
  return await engineInRoom({ socket: '/run/docker.sock', room: { usr } }, async (room) => {
    await writeFile(room.outside('/tmp/daemon.json'), JSON.stringify(settings));
    await startDaemon(room, ['dockerd', '--config-file=/tmp/daemon.json', '--host=unix:///run/docker.sock']);
  });
}

const settings = { features: { 'containerd-snapshotter': true } };

/** Unpacked beside the system, never installed; apt verifies what it fetches. */
async function unpacked(): Promise<string> {
  const root = join(cache, 'root');
  if (!existsSync(root)) {
    await mkdir(cache, { recursive: true });
    const making = join(cache, `making-${process.pid}`);
    try {
      await run('mmdebstrap', [
        ...['--quiet', '--mode=root', '--variant=extract', `--include=${packages.join(',')}`],
        ...options.map((option) => `--aptopt=${option}`),
        '--dpkgopt=path-exclude=/usr/share/*',
        ...['sid', making],
      ]);
      // As its package's installation would have chosen it.
      for (const name of ['iptables', 'ip6tables']) {
        await symlink('xtables-nft-multi', join(making, 'usr/sbin', name));
      }
      await rename(making, root);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  return join(root, 'usr');
}

const options = [
  'Acquire::Languages "none"',
  'Acquire::http::Timeout "20"',
  'Acquire::Retries "1"',
  // A mirror that stands still is good enough.
  'Acquire::Check-Valid-Until "false"',
];
