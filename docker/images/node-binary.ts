import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostArchitecture } from './platforms.ts';

const run = promisify(execFile);

/** The version of Node that runs this for an architecture; for another than the host's it is fetched from npm into `folder`. */
export async function nodeBinary(architecture: string, folder: string): Promise<string> {
  if (architecture === hostArchitecture) return process.execPath;
  const name = `node-linux-${architecture === 'amd64' ? 'x64' : architecture}@${process.versions.node}`;
  await mkdir(folder, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder, name], {
    cwd: folder,
  });
  await run('tar', ['--extract', '--file', join(folder, stdout.trim()), '--directory', folder]);
  return join(folder, 'package', 'bin', 'node');
}
