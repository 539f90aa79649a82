import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostArchitecture } from './platforms.ts';

const run = promisify(execFile);

/** This repository's version of Node for an architecture; for another than the host's it is fetched from npm into `folder`. */
export async function nodeBinary(root: string, architecture: string, folder: string): Promise<string> {
  if (architecture === hostArchitecture) return join(root, 'node_modules', 'node', 'bin', 'node');
  const name = `node-linux-${architecture === 'amd64' ? 'x64' : architecture}@${process.versions.node}`;
  await mkdir(folder, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder, name], {
    cwd: folder,
  });
  await run('tar', ['--extract', '--file', join(folder, stdout.trim()), '--directory', folder]);
  return join(folder, 'package', 'bin', 'node');
}
