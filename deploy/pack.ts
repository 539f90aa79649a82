import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { saveSidecarImages } from './sidecar-images.ts';
import { copyWorkerPackage } from './worker-package.ts';

/**
 * Makes the two files of a release that a machine without this repository needs: the package that npm installs, and the
 * archive that `docker-worker images load` reads. Bundles and images must have been made (`npm run images`).
 *
 * @returns their names
 */
export function pack(folder: string): [packed: string, images: string] {
  const staged = mkdtempSync(join(tmpdir(), 'docker-worker-package-'));
  try {
    const version = copyWorkerPackage(staged);
    mkdirSync(folder, { recursive: true });
    const npm = ['pack', staged, '--pack-destination', folder, '--loglevel=error'];
    const packed = execFileSync('npm', npm, { encoding: 'utf8' }).trim();
    const images = `docker-worker-images-${version}.tar`;
    saveSidecarImages(join(folder, images));
    return [join(folder, packed), join(folder, images)];
  } finally {
    rmSync(staged, { recursive: true });
  }
}

if (import.meta.main) {
  const [folder = 'packed'] = process.argv.slice(2);
  process.stdout.write(`${pack(resolve(folder)).join('\n')}\n`);
}
