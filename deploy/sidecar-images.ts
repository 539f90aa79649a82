import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);

/**
 * Writes an archive of the images of all packages that say how they run beside a task and what their image is made of.
 * The images must have been made (`npm run images`).
 *
 * @param more names of further images to bring
 */
export function saveSidecarImages(file: string, more: readonly string[] = []): void {
  execFileSync('docker', ['save', '--output', file, ...sidecarImages(), ...more]);
}

function sidecarImages(): string[] {
  return globSync('packages/*/src/sidecar.ts', { cwd: root })
    .map((sidecar) => join(root, dirname(dirname(sidecar))))
    .filter((folder) => existsSync(join(folder, 'image.json')))
    .map((folder) => {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        version: string;
      };
      return `docker-worker/${basename(folder)}:${version}`;
    });
}
