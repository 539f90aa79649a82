import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, ownProcess } from './process-identity.ts';

/** A folder of the host that one container has mounted; nobody else on the host but the worker reaches it. */
export interface SharedFolder extends AsyncDisposable {
  path: string;
}

/** Names are short: the path of a socket may have no more than 107 bytes. */
const nameBytes = 6;

export async function makeSharedFolder(stateDirectory: string): Promise<SharedFolder> {
  const all = allFolders(stateDirectory);
  const path = join(all, randomBytes(nameBytes).toString('hex'));
  await mkdir(all, { recursive: true, mode: 0o700 });
  // First: a folder without an owner is swept.
  await writeFile(ownerFile(path), ownProcess, { flag: 'wx' });
  await mkdir(path, { mode: 0o755 });
  return { path, [Symbol.asyncDispose]: () => remove(path) };
}

/** Removes the folders of processes that no longer run; returns how many. */
export async function sweepSharedFolders(stateDirectory: string): Promise<number> {
  const all = allFolders(stateDirectory);
  const files = await readdir(all).catch(emptyIfAbsent);
  const names = new Set(files.map((file) => file.replace(/\.owner$/, '')));
  const swept = await Promise.all(
    [...names].map(async (name) => {
      const path = join(all, name);
      const owner = await readFile(ownerFile(path), 'utf8').catch(emptyIfAbsent);
      if (isAlive(String(owner))) {
        return 0;
      }
      await remove(path);
      return 1;
    }),
  );
  return swept.reduce<number>((sum, count) => sum + count, 0);
}

function allFolders(stateDirectory: string): string {
  return join(stateDirectory, 'shared');
}

function ownerFile(folder: string): string {
  return `${folder}.owner`;
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await rm(ownerFile(path), { force: true });
}

function emptyIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') {
    return [];
  }
  throw error;
}
