import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isOrphanTag } from '../../containers/sweep.ts';
import { profileText } from './profile-text.ts';

const prefix = 'docker-worker-ptrace.';
const securityFolder = '/sys/kernel/security/apparmor';

export function profileName(ownerTag: string): string {
  return `${prefix}${ownerTag}`;
}

/** Why this process can give a task no profile of its own; `undefined` when it can. */
export function whyNoProfiles(): string | undefined {
  if (!isEnabled()) {
    return 'the kernel of this worker runs without AppArmor';
  }
  if (!existsSync(join(securityFolder, 'profiles'))) {
    return `${securityFolder} is not there: mount securityfs, in the container of the worker as well`;
  }
  if (process.getuid?.() !== 0) {
    return 'this worker is not root, who alone can load a profile';
  }
  return hasCommand('apparmor_parser')
    ? undefined
    : 'the command apparmor_parser is not on this worker (package apparmor)';
}

function isEnabled(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').trim() === 'Y';
  } catch {
    return false;
  }
}

function hasCommand(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Loads the profile of a task into the kernel, from which it is gone when it is disposed of: after the
 * container that it confines. Nothing is written to disk.
 */
export async function loadProfile(name: string): Promise<AsyncDisposable> {
  const parser = spawn('apparmor_parser', ['--skip-cache', '--replace'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  parser.stdin.on('error', () => {});
  parser.stdin.end(profileText(name));
  const [complaint, [code]] = await Promise.all([text(parser.stderr), once(parser, 'close')]);
  if (code !== 0) {
    throw new Error(`the AppArmor profile of the task could not be loaded: ${complaint.trim()}`);
  }
  return { [Symbol.asyncDispose]: () => unloadProfile(name, securityFolder) };
}

/** Unloads the profiles that killed workers have left; returns how many. See `sweep` for the parameters. */
export async function sweepProfiles(
  worker?: string,
  own = false,
  folder: string = securityFolder,
): Promise<number> {
  const list = await readFile(join(folder, 'profiles'), 'utf8').catch(() => '');
  const left = list
    .split('\n')
    .map((line) => line.replace(/ \([^)]*\)$/, ''))
    .filter((name) => name.startsWith(prefix) && isOrphanTag(name.slice(prefix.length), own, worker));
  await Promise.all(left.map((name) => unloadProfile(name, folder)));
  return left.length;
}

async function unloadProfile(name: string, folder: string): Promise<void> {
  try {
    await writeFile(join(folder, '.remove'), name, { flag: 'r+' });
  } catch (error) {
    // Somebody else has unloaded it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
  }
}
