import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import { docker } from './host/host-contents.ts';

const repository = join(import.meta.dirname, '../../../..');

/** Who pastes them by hand waits a moment longer for the one before to end. */
async function onItsOwnPort(commands: string): Promise<string> {
  return commands.replaceAll('8080', String(await freePort()));
}

/** The commands behind each mark `quick start` in the README of a package. */
function quickStarts(name: string): string[] {
  const page = readFileSync(join(repository, 'packages', name, 'README.md'), 'utf8');
  return [...page.matchAll(/<!-- quick start -->\s*```sh\n([\s\S]*?)```/g)].map(
    ([, commands = '']) => commands,
  );
}

/**
 * Runs the quick starts of a package as somebody would who has pasted them into a shell, one after the other; gives what
 * they printed.
 *
 * @param filledIn what stands in the README for what everybody has differently, and what to put there
 */
export async function pasteQuickStarts(
  name: string,
  folder: string,
  filledIn: Record<string, string>,
): Promise<string> {
  const container = `${name}-${process.pid}`;
  const all = {
    [`--name ${name}`]: `--name ${container}`,
    [`docker stop ${name}`]: `docker stop ${container}`,
    ...filledIn,
  };
  const script = Object.entries(all).reduce(
    (text, [placeholder, value]) => text.replaceAll(placeholder, value),
    (await Promise.all(quickStarts(name).map(onItsOwnPort))).join('\n'),
  );
  // Folders of people can be read by others, and so by the user of an image.
  await chmod(folder, 0o755);
  // Where the commands are in a clone.
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that nothing of it is left behind when a command fails.
    detached: true,
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(shell, 'exit');
  if (code === 0) return output;
  try {
    process.kill(-(shell.pid ?? 0), 'SIGTERM');
  } catch {
    // All have ended.
  }
  await docker
    .getContainer(container)
    .remove({ force: true })
    .catch(() => {});
  throw new Error(`exit code ${code}:\n${script}\n${output}`);
}
