import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { dockerOutput, imageLabel, inputsLabel } from './docker-cli.ts';
import { digestOf } from './inputs-digest.ts';
import { nodeBinary } from './node-binary.ts';
import { hostArchitecture } from './platforms.ts';

/** Packages that Node and the services need on a minimal Debian. */
const debianPackages = ['ca-certificates', 'libatomic1', 'libstdc++6'];
/** Left out, of packages that are installed later too. */
const documents = '/usr/share/doc /usr/share/man /usr/share/locale';

/**
 * The image that every service's Dockerfile starts from.
 *
 * With a registry it is an official slim Node image, named by `requested`. Without one it is made on the spot:
 * a minimal Debian from the machine's own package source (environment `DEBIAN_MIRROR`, default: the one that
 * mmdebstrap knows), with this repository's version of Node in `/usr/local/bin`. Another architecture than the host's needs
 * QEMU's binfmt handlers.
 */
export async function baseImage(
  requested: string | undefined,
  architecture = hostArchitecture,
): Promise<string> {
  if (requested !== undefined) {
    if ((await imageLabel(requested, inputsLabel)) === undefined) {
      await dockerOutput(['pull', requested]);
    }
    return requested;
  }
  const suffix = architecture === hostArchitecture ? '' : `-${architecture}`;
  const image = `docker-worker/base:node-${process.versions.node}${suffix}`;
  const digest = digestOf([readFileSync(import.meta.filename), Buffer.from(process.version + architecture)]);
  if ((await imageLabel(image, inputsLabel)) === digest) {
    return image;
  }
  const folder = await mkdtemp(join(tmpdir(), 'docker-worker-base-'));
  try {
    const node = await nodeBinary(architecture, folder);
    await importDebian(node, image, { digest, architecture });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return image;
}

async function importDebian(
  node: string,
  image: string,
  { digest, architecture }: { digest: string; architecture: string },
): Promise<void> {
  requireMmdebstrap();
  const bootstrap = spawn(
    'mmdebstrap',
    [
      '--quiet',
      '--variant=minbase',
      `--architectures=${architecture}`,
      // It asks for one more program to find out whether this machine can run that, which has been found out.
      '--skip=check/qemu',
      `--include=${debianPackages.join(',')}`,
      // What is cut off half-way is not used, so nothing need be on the disk before it goes on.
      '--dpkgopt=force-unsafe-io',
      // From the first package on they would each go through a filter of mmdebstrap's, which takes longer than all else.
      `--customize-hook=for each in ${documents}; do rm -rf "$1"$each/*; echo "path-exclude=$each/*"; done > "$1"/etc/dpkg/dpkg.cfg.d/documents`,
      `--customize-hook=upload ${node} /usr/local/bin/node`,
      '--customize-hook=chmod 755 "$1/usr/local/bin/node"',
      'bookworm',
      '-',
      ...(process.env.DEBIAN_MIRROR ? [process.env.DEBIAN_MIRROR] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const load = spawn(
    'docker',
    [
      ...['import', `--platform=linux/${architecture}`],
      ...['--change', `LABEL ${inputsLabel}=${digest}`, '--change', 'CMD ["bash"]', '-', image],
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  const [bootstrapEnd, loadEnd] = [once(bootstrap, 'close'), once(load, 'close')];
  await pipeline(bootstrap.stdout, load.stdin, { end: false });
  const [bootstrapCode] = await bootstrapEnd;
  // Half an archive would become an image that looks as if it were whole.
  if (bootstrapCode === 0) load.stdin.end();
  else load.kill();
  const [loadCode] = await loadEnd;
  if (bootstrapCode !== 0 || loadCode !== 0) {
    throw new Error(
      `the base image could not be made (mmdebstrap: ${bootstrapCode}, docker import: ${loadCode})`,
    );
  }
}

function requireMmdebstrap(): void {
  if (spawnSync('mmdebstrap', ['--version'], { stdio: 'ignore' }).status === 0) {
    return;
  }
  const debian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  const installed =
    debian &&
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2] }).status === 0 &&
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'mmdebstrap'], {
      stdio: ['ignore', 2, 2],
    }).status === 0;
  if (!installed) {
    throw new Error(
      'no base image: on Debian or Ubuntu install "mmdebstrap"; elsewhere name an official Node image that your ' +
        'engine can pull: npm run images -- --base node:24-bookworm-slim',
    );
  }
}
