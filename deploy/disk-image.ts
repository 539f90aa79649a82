import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';
import { stage } from './stage.ts';

const run = promisify(execFile);

/** Small, and without sound and video: with loopback modules `provision.sh` brings another. */
const kernel = 'linux-image-cloud-amd64';

/** Boot loader and the like of a machine that is not in a cloud yet; the rest is up to `provision.sh`. */
const packages = ['initramfs-tools', 'systemd-sysv', 'dbus', 'iproute2', 'extlinux'];

/** Disks and networks of QEMU, Google and Amazon, and nothing else: the smaller, the faster it boots. */
const bootModules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_scsi',
  'sd_mod',
  'nvme',
  'ena',
  'ext4',
  'crc32c_generic',
];

const files: Record<string, string> = {
  'etc/fstab': 'LABEL=root / ext4 rw 0 1\n',
  'etc/hostname': 'docker-worker\n',
  'etc/hosts': '127.0.0.1 localhost docker-worker\n',
  'etc/systemd/network/uplink.network': '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n',
  'etc/initramfs-tools/conf.d/small': 'MODULES=list\nCOMPRESS=lz4\n',
  'etc/initramfs-tools/modules': `${bootModules.join('\n')}\n`,
  'boot/extlinux/extlinux.conf':
    'DEFAULT worker\nTIMEOUT 1\nLABEL worker\n  LINUX /vmlinuz\n  INITRD /initrd.img\n' +
    '  APPEND root=LABEL=root rw console=ttyS0 apparmor=1 security=apparmor\n',
};

const sectorBytes = 512;
const firstSector = 2048;

export interface DiskImageOptions {
  /** Further images for the engine beside those of the sidecars. */
  images?: readonly string[];
  /** Size of the disk; the machine does not grow it. Default: 6. */
  gibibytes?: number;
  /** Whether tasks can have loopback video and audio; see LOOPBACK_MODULES of `provision.sh`. */
  loopbackModules?: boolean;
}

/**
 * Makes a disk that a BIOS boots into a worker, of Debian's packages (`DEBIAN_MIRROR` names another source). Needs root, and
 * the programs of the Debian packages mmdebstrap, e2fsprogs, fdisk, extlinux, syslinux-common and docker.io.
 */
export async function makeDiskImage(
  file: string,
  { images = [], gibibytes = 6, loopbackModules = false }: DiskImageOptions = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-worker-disk-'));
  try {
    const [staged, root] = [join(folder, 'stage'), join(folder, 'root')];
    stage(staged, images);
    await bootstrap(staged, root, { overlay: join(folder, 'overlay'), loopbackModules });
    await preload(join(staged, 'images.tar'), root, folder);
    await writeDisk(file, root, gibibytes, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bootstrap(
  staged: string,
  root: string,
  { overlay, loopbackModules }: { overlay: string; loopbackModules: boolean },
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(overlay, path, '..'), { recursive: true });
    await writeFile(join(overlay, path), content);
  }
  const unwanted = 'getty@tty1.service serial-getty@ttyS0.service apt-daily.timer apt-daily-upgrade.timer';
  const hooks = [
    `copy-in ${overlay}/. /`,
    `copy-in ${staged} /tmp`,
    // The images are preloaded from outside, and need not be copied for that.
    'rm "$1/tmp/stage/images.tar"',
    `chroot "$1" env LOOPBACK_MODULES=${loopbackModules ? 'yes' : 'no'} /tmp/stage/provision.sh /tmp/stage`,
    'rm -r "$1/tmp/stage"',
    'chroot "$1" update-initramfs -u',
    'chroot "$1" systemctl enable systemd-networkd.service',
    `chroot "$1" systemctl mask ${unwanted}`,
  ];
  await run(
    'mmdebstrap',
    [
      '--quiet',
      '--variant=minbase',
      `--include=${[...packages, ...(loopbackModules ? [] : [kernel])].join(',')}`,
      ...['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      'bookworm',
      root,
      ...(process.env.DEBIAN_MIRROR ? [process.env.DEBIAN_MIRROR] : []),
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
}

/** Lets an engine of this machine write the images into the disk, in a network of its own so that it takes nothing from another. */
async function preload(archive: string, root: string, folder: string): Promise<void> {
  const namespace = `docker-worker-disk-${process.pid}`;
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const data = join(root, 'var/lib/docker');
  await run('ip', ['netns', 'add', namespace]);
  const daemon = spawn(
    'nsenter',
    [
      `--net=/run/netns/${namespace}`,
      'dockerd',
      `--data-root=${data}`,
      `--exec-root=${join(folder, 'exec')}`,
      `--pidfile=${join(folder, 'docker.pid')}`,
      `--host=${socket}`,
      '--storage-driver=overlay2',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(daemon, 'close');
  try {
    await new Promise<void>((started, failed) => {
      const lines = createInterface({ input: daemon.stderr });
      lines.on('line', (line) => line.includes('API listen on') && started());
      lines.on('close', () => failed(new Error('the engine that preloads images did not start')));
    });
    await run('docker', ['--host', socket, 'load', '--quiet', '--input', archive]);
  } finally {
    daemon.kill('SIGTERM');
    await ended;
    // Where mounts are private, an engine mounts its data on itself and leaves that.
    await run('umount', ['--quiet', data]).catch(() => {});
    await run('ip', ['netns', 'delete', namespace]);
  }
}

/** One partition with an ext4 file system, and a boot loader in front of it. */
async function writeDisk(file: string, root: string, gibibytes: number, folder: string): Promise<void> {
  await writeFile(file, '');
  await truncate(file, gibibytes * 1024 ** 3);
  const table = spawn('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', file], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const partitioned = once(table, 'close');
  table.stdin.end(`label: dos\nstart=${firstSector}, type=83, bootable\n`);
  if ((await partitioned)[0] !== 0) throw new Error(`${file} could not be partitioned`);

  const offset = firstSector * sectorBytes;
  const blocks = (gibibytes * 1024 ** 3 - offset) / 4096;
  await run('mke2fs', [
    ...['-q', '-F', '-t', 'ext4', '-L', 'root', '-b', '4096', '-d', root],
    ...['-O', '^64bit,^metadata_csum', '-E', `offset=${offset}`, file, String(Math.floor(blocks))],
  ]);

  const mounted = join(folder, 'mounted');
  await mkdir(mounted);
  await run('mount', ['-o', `loop,offset=${offset}`, file, mounted]);
  try {
    await run('extlinux', ['--install', join(mounted, 'boot/extlinux')]);
  } finally {
    await run('umount', [mounted]);
  }
  await installBootCode(file);
}

async function installBootCode(file: string): Promise<void> {
  const code = await readFile('/usr/lib/syslinux/mbr/mbr.bin');
  await run('dd', [
    'if=/usr/lib/syslinux/mbr/mbr.bin',
    `of=${file}`,
    'conv=notrunc',
    `bs=${code.length}`,
    'count=1',
  ]);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      image: { type: 'string', multiple: true },
      gibibytes: { type: 'string' },
      'loopback-modules': { type: 'boolean' },
    },
  });
  const [file] = positionals;
  if (file === undefined) {
    process.stderr.write(
      'usage: disk-image.ts FILE [--image NAME]... [--gibibytes N] [--loopback-modules]\n',
    );
    process.exit(2);
  }
  await makeDiskImage(resolve(file), {
    images: values.image,
    loopbackModules: values['loopback-modules'],
    ...(values.gibibytes ? { gibibytes: Number(values.gibibytes) } : {}),
  });
  const { blocks } = await stat(file);
  process.stdout.write(`${file}: ${Math.round((blocks * sectorBytes) / 2 ** 20)} MiB on this disk\n`);
}
