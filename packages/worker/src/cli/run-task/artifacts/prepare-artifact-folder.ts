import { mkdir, mkdtemp, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../../../user-error.ts';

/**
 * Makes sure, before anything runs, that artifacts can be saved in a folder, which need not exist.
 *
 * @throws UserError
 */
export async function prepareArtifactFolder(folder: string): Promise<void> {
  try {
    await make(resolve(folder));
    await rmdir(await mkdtemp(join(folder, '.docker-worker-')));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOTDIR: 'it is a file, or below one',
      EACCES: 'you may not write there',
      EPERM: 'you may not write there',
      EROFS: 'that file system is read-only',
      ENOENT: 'no folder can be made there',
    };
    throw new UserError(
      `--artifacts ${folder}: ${reasons[code] ?? message}; name a folder that you may write to`,
    );
  }
}

/** One level after the other: Node's own recursion does not end where no folder can be made, as below /proc. */
async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(folder) !== folder) {
      await make(dirname(folder));
      await mkdir(folder);
    } else if (code !== 'EEXIST') {
      throw error;
    }
  }
}
