import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How much the files of a folder take, of which no more than so many are looked at. What vanishes meanwhile counts nothing. */
export async function folderBytes(
  folder: string,
  mostFiles = 20_000,
): Promise<{ bytes: number; hasMore: boolean }> {
  let bytes = 0;
  let files = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const entries: Dirent[] = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      files += 1;
      if (files > mostFiles) {
        return { bytes, hasMore: true };
      }
      const path = join(next, entry.name);
      if (entry.isDirectory()) {
        folders.push(path);
      } else {
        bytes += await lstat(path).then(
          ({ blocks }) => blocks * 512,
          () => 0,
        );
      }
    }
  }
  return { bytes, hasMore: false };
}
