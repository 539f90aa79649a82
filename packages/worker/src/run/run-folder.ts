import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOrphanTag } from '../containers/sweep.ts';
import type { Owner } from '../ownership/labels.ts';
import { ownerTag } from '../ownership/owner-tag.ts';

const prefix = 'docker-worker-run-';

/** A folder for a run's log and for artifacts on their way, in `TMPDIR`. Its name says whose it is. */
export interface RunFolder extends AsyncDisposable {
  path: string;
}

export async function makeRunFolder(owner: Owner, parent = tmpdir()): Promise<RunFolder> {
  const path = await mkdtemp(join(parent, `${prefix}${ownerTag(owner)}.`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Removes the folders of processes that no longer run; returns how many.
 *
 * @param worker limits that to one worker's; without it all workers of this host are meant
 */
export async function sweepRunFolders(worker?: string, parent = tmpdir()): Promise<number> {
  const names = await readdir(parent);
  const left = names.filter(
    (name) => name.startsWith(prefix) && isOrphanTag(name.slice(prefix.length), false, worker),
  );
  await Promise.all(left.map((name) => rm(join(parent, name), { recursive: true, force: true })));
  return left.length;
}
