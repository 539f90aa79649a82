import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../../../..');

/** The commands behind each mark `quick start` in the README of a package. */
export function quickStarts(name: string): string[] {
  const page = readFileSync(join(repository, 'packages', name, 'README.md'), 'utf8');
  return [...page.matchAll(/<!-- quick start -->\s*```sh\n([\s\S]*?)```/g)].map(
    ([, commands = '']) => commands,
  );
}

/**
 * Runs commands as somebody would who has pasted them into a shell, one after the other; gives what they printed.
 *
 * @param filledIn what stands in a README for what everybody has differently, and what to put there
 */
export async function paste(
  commands: readonly string[],
  folder: string,
  filledIn: Record<string, string>,
): Promise<string> {
  const script = Object.entries(filledIn).reduce(
    (text, [placeholder, value]) => text.replaceAll(placeholder, value),
    commands.join('\n'),
  );
  // Where `npx` looks, as in a clone; and it must not look elsewhere.
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { ...process.env, npm_config_offline: 'true' },
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
  try {
    process.kill(-(shell.pid ?? 0), 'SIGTERM');
  } catch {
    // All have ended.
  }
  if (code !== 0) throw new Error(`exit code ${code}:\n${script}\n${output}`);
  return output;
}
