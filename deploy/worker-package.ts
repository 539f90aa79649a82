import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const source = join(import.meta.dirname, '../packages/worker');

/**
 * Copies the worker as it runs on a machine without this repository: its bundle, which needs nothing beside Node. The bundle
 * must have been made.
 *
 * @returns its version
 */
export function copyWorkerPackage(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, license, type, engines, bin, files } = manifest;
  const description = 'Runs Taskcluster tasks in Docker containers';
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name, version, description, license, type, engines, bin, files }, null, 2)}\n`,
  );
  for (const item of ['README.md', 'bin', 'dist']) {
    cpSync(join(source, item), join(folder, item), { recursive: true });
  }
  cpSync(join(source, '../../LICENSE'), join(folder, 'LICENSE'));
  return String(version);
}
