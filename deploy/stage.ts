import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saveSidecarImages } from './sidecar-images.ts';
import { copyWorkerPackage } from './worker-package.ts';

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
  mkdirSync(folder, { recursive: true });
  copyWorkerPackage(worker);
  cpSync(process.execPath, join(worker, 'bin/node'));
  writeFileSync(join(worker, 'bin/docker-worker'), launcher, { mode: 0o755 });
  cpSync(join(import.meta.dirname, 'files'), join(folder, 'files'), { recursive: true });
  cpSync(join(import.meta.dirname, 'provision.sh'), join(folder, 'provision.sh'));
  saveSidecarImages(join(folder, 'images.tar'), more);
}

if (import.meta.main) {
  const [folder = join(import.meta.dirname, 'stage')] = process.argv.slice(2);
  stage(folder);
  process.stdout.write(`${folder}\n`);
}
