import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
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
 * Removes the folders of processes that no longer run, and tells which are left to other persons, to whom they belong. Root
 * removes those as well.
 *
 * @param worker limits that to one worker's; without it all workers of this host are meant
 */
export async function sweepRunFolders(
  worker?: string,
  parent = tmpdir(),
  person = process.getuid?.() ?? 0,
): Promise<{ removed: number; ofOthers: string[] }> {
  const names = await readdir(parent);
  const left = names.filter(
    (name) => name.startsWith(prefix) && isOrphanTag(name.slice(prefix.length), false, worker),
  );
  const swept = await Promise.all(
    left.map(async (name) => {
      const path = join(parent, name);
      // Somebody else sweeps at the same time: what is gone is gone.
      const uid = await lstat(path).then(
        (found) => found.uid,
        () => undefined,
      );
      if (uid === undefined || (person !== 0 && uid !== person)) {
        return uid === undefined ? [] : [path];
      }
      await rm(path, { recursive: true, force: true });
      return undefined;
    }),
  );
  return {
    removed: swept.filter((others) => others === undefined).length,
    ofOthers: swept.flatMap((others) => others ?? []),
  };
}
