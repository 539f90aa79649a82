import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);

/** The program, which a symbolic link on the PATH leads to. */
const launcher = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export MALLOC_ARENA_MAX=1
exec "$here/node" --max-semi-space-size=4 "$here/../dist/main.js" "$@"
`;

/**
 * Collects what `provision.sh` installs: the worker with Node, the files of the machine, the images of the sidecars.
 * Bundles and images must have been made (`npm run images`).
 *
 * @param folder is emptied first
 * @param more names of further images to bring
 */
export function stage(folder: string, more: readonly string[] = []): void {
  rmSync(folder, { recursive: true, force: true });
  const worker = join(folder, 'worker');
  mkdirSync(join(worker, 'bin'), { recursive: true });
  cpSync(join(root, 'packages/worker/dist'), join(worker, 'dist'), { recursive: true });
  for (const file of ['package.json', 'README.md']) {
    cpSync(join(root, 'packages/worker', file), join(worker, file));
  }
  cpSync(process.execPath, join(worker, 'bin/node'));
  writeFileSync(join(worker, 'bin/docker-worker'), launcher, { mode: 0o755 });
  cpSync(join(import.meta.dirname, 'files'), join(folder, 'files'), { recursive: true });
  cpSync(join(import.meta.dirname, 'provision.sh'), join(folder, 'provision.sh'));
  execFileSync('docker', ['save', '--output', join(folder, 'images.tar'), ...sidecarImages(), ...more]);
}

/** Of the packages that say how they run beside a task and what their image is made of. */
function sidecarImages(): string[] {
  return globSync('packages/*/src/sidecar.ts', { cwd: root })
    .map((file) => join(root, dirname(dirname(file))))
    .filter((folder) => existsSync(join(folder, 'image.json')))
    .map((folder) => {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        version: string;
      };
      return `docker-worker/${basename(folder)}:${version}`;
    });
}

if (import.meta.main) {
  const [folder = join(import.meta.dirname, 'stage')] = process.argv.slice(2);
  stage(folder);
  process.stdout.write(`${folder}\n`);
}
