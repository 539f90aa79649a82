import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, ownProcess } from '../ownership/process-identity.ts';

/** A folder of the host that one container has mounted; nobody else on the host but the worker reaches it. */
export interface SharedFolder extends AsyncDisposable {
  path: string;
}

/** Names are short: the path of a socket may have no more than 107 bytes. */
const nameBytes = 6;

export async function makeSharedFolder(stateDirectory: string): Promise<SharedFolder> {
  const all = allFolders(stateDirectory);
  const path = join(all, randomBytes(nameBytes).toString('hex'));
  const mark = `${path}~${ownProcess}`;
  await mkdir(all, { recursive: true, mode: 0o700 });
  // First: a folder without an owner is swept.
  await writeFile(mark, '', { flag: 'wx' });
  await mkdir(path, { mode: 0o755 });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
      await rm(mark, { force: true });
    },
  };
}

/**
 * Removes the folders of processes that no longer run; returns how many. A file beside each, called
 * `<folder>~<process>`, says whose it is.
 */
export async function sweepSharedFolders(stateDirectory: string): Promise<number> {
  const all = allFolders(stateDirectory);
  const names = await readdir(all).catch(emptyIfAbsent);
  const marks = names.filter((name) => name.includes('~')).map((name) => name.split('~') as [string, string]);
  const owned = new Set(marks.filter(([, owner]) => isAlive(owner)).map(([folder]) => folder));
  const left = names.filter((name) => !owned.has(name.split('~', 1)[0] ?? ''));
  await Promise.all(left.map((name) => rm(join(all, name), { recursive: true, force: true })));
  return new Set(left.map((name) => name.split('~', 1)[0])).size;
}

function allFolders(stateDirectory: string): string {
  return join(stateDirectory, 'shared');
}

function emptyIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') {
    return [];
  }
  throw error;
}
