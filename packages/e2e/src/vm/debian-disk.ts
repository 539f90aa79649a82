import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a virtual machine boots from. */
export interface BootDisk {
  /** An ext4 file system, the machine's root. */
  disk: string;
  kernel: string;
  initrd: string;
  /** Private key that opens a shell of root over SSH. */
  key: string;
}

export interface DebianDisk {
  /** Beside what every machine needs: a kernel, systemd, a network and SSH. */
  packages: string[];
  /** Files by their paths in the machine; those with a first line `#!` can be executed. */
  files?: Record<string, string>;
  /** Units of systemd to enable, by their full names. */
  units?: string[];
  gibibytes?: number;
}

const basePackages = [
  'linux-image-cloud-amd64',
  'initramfs-tools',
  'systemd-sysv',
  'openssh-server',
  'iproute2',
  'kmod',
  'procps',
];

const baseFiles: Record<string, string> = {
  '/etc/fstab': '/dev/vda / ext4 rw 0 1\n',
  '/etc/hostname': 'vm\n',
  '/etc/hosts': '127.0.0.1 localhost vm\n',
  '/etc/systemd/network/uplink.network': '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n',
  // Only what the root file system needs: the machine is emulated, so every module costs time.
  '/etc/initramfs-tools/conf.d/small': 'MODULES=list\n',
  '/etc/initramfs-tools/modules': 'virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n',
};

/** What the console says when a machine can be used; see VirtualMachine. */
export const readyMark = 'vm: ready';

/**
 * Makes a bootable Debian as root, or finds the one that was made of the same description: it takes a minute.
 * Packages come from the machine's own source, or from `DEBIAN_MIRROR`.
 */
export async function debianDisk(description: DebianDisk): Promise<BootDisk> {
  const folder = await cached(description, (target) => make(description, target));
  const [disk, kernel, initrd, key] = ['root.ext4', 'vmlinuz', 'initrd', 'key'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  return { disk, kernel, initrd, key };
}

/** Makes a minimal Debian with these packages, as a tar file for `docker import`, or finds it. */
export async function debianTar(packages: string[]): Promise<string> {
  const folder = await cached({ packages }, async (target) => {
    const tar = join(target, 'root.tar');
    await mmdebstrap(['--variant=minbase', `--include=${packages.join(',')}`], tar);
  });
  return join(folder, 'root.tar');
}

/** The folder that `fill` has filled, now or at an earlier time, for the same description. */
async function cached(description: object, fill: (folder: string) => Promise<void>): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(import.meta.filename))
    .update(JSON.stringify(description));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'docker-worker', 'vm');
  const target = join(cache, digest.digest('hex').slice(0, 16));
  if (existsSync(target)) {
    return target;
  }
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'making-'));
  try {
    await fill(folder);
    await rename(folder, target);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return target;
}

async function make(description: DebianDisk, folder: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
  const root = join(folder, 'root');
  await bootstrap(description, root, await readFile(join(folder, 'key.pub'), 'utf8'));
  await Promise.all([
    cp(join(root, 'vmlinuz'), join(folder, 'vmlinuz'), { dereference: true }),
    cp(join(root, 'initrd.img'), join(folder, 'initrd'), { dereference: true }),
  ]);
  await fileSystem(join(folder, 'root.ext4'), root, (description.gibibytes ?? 6) * 1024);
  await rm(root, { recursive: true });
}

async function bootstrap(
  { packages, files = {}, units = [] }: DebianDisk,
  root: string,
  publicKey: string,
): Promise<void> {
  const overlay = `${root}-files`;
  const readyUnit = [
    '[Unit]',
    `After=ssh.service systemd-networkd-wait-online.service ${units.join(' ')}`,
    'Wants=systemd-networkd-wait-online.service',
    '[Service]',
    'Type=oneshot',
    `ExecStart=/bin/echo "${readyMark}"`,
    'StandardOutput=tty',
    'TTYPath=/dev/ttyS0',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  const all = {
    ...baseFiles,
    '/etc/systemd/system/vm-ready.service': `${readyUnit.join('\n')}\n`,
    '/root/.ssh/authorized_keys': publicKey,
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    await mkdir(join(overlay, path, '..'), { recursive: true });
    await writeFile(join(overlay, path), content, { mode: content.startsWith('#!') ? 0o755 : 0o644 });
  }
  const enabled = ['systemd-networkd.service', 'ssh.service', 'vm-ready.service', ...units].join(' ');
  await mmdebstrap(
    [
      '--variant=minbase',
      `--include=${[...basePackages, ...packages].join(',')}`,
      `--customize-hook=copy-in ${overlay}/. /`,
      '--customize-hook=chroot "$1" update-initramfs -u',
      `--customize-hook=chroot "$1" systemctl enable ${enabled}`,
      '--customize-hook=chroot "$1" systemctl mask getty@tty1.service serial-getty@ttyS0.service apt-daily.timer apt-daily-upgrade.timer',
    ],
    root,
  );
  await rm(overlay, { recursive: true });
}

/** @param target a folder, or a file whose name tells its format */
async function mmdebstrap(options: string[], target: string): Promise<void> {
  const excluded = ['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const mirror = process.env.DEBIAN_MIRROR ? [process.env.DEBIAN_MIRROR] : [];
  const args = ['--quiet', ...options, ...excluded, 'bookworm', target, ...mirror];
  const child = spawn('mmdebstrap', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code !== 0) {
    throw new Error(`mmdebstrap ended with ${code}: …${complaint.slice(-2000)}`);
  }
}

/** Makes an ext4 file system with the content of a folder, without mounting anything. */
export async function fileSystem(file: string, content: string, mebibytes: number): Promise<void> {
  await writeFile(file, '');
  await truncate(file, mebibytes * 1024 * 1024);
  await run('mke2fs', ['-q', '-t', 'ext4', '-F', '-d', content, '-O', '^64bit,^metadata_csum', file]);
}
