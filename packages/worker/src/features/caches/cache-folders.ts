import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheContents, FoundContent } from './cache-contents.ts';
import { folderOf } from './cache-name.ts';
import { emptyIfAbsent, type InstanceRecord, recordsFolder } from './instance-records.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Directories of this host, `<folder>/<name>/<uuid>`: for an engine that sees them, and a worker that may remove what tasks make. */
export class CacheFolders implements CacheContents {
  readonly likeImage = false;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  source({ name, id }: InstanceRecord): string {
    return join(this.#folder, folderOf(name), id);
  }

  async make(record: InstanceRecord): Promise<void> {
    await mkdir(this.source(record), { recursive: true, mode: 0o755 });
  }

  async remove(record: InstanceRecord): Promise<void> {
    await rm(this.source(record), { recursive: true, force: true });
    // Gone with its last instance, unless somebody just makes another.
    await rmdir(join(this.#folder, folderOf(record.name))).catch(() => {});
  }

  async list(): Promise<FoundContent[]> {
    const names = await readdir(this.#folder).catch(emptyIfAbsent);
    const folders = names.filter((name) => name !== recordsFolder).map((name) => join(this.#folder, name));
    const instances = folders.map(async (folder) =>
      (await readdir(folder).catch(emptyIfAbsent))
        .filter((id) => uuid.test(id))
        .map((id) => ({ id, remove: () => rm(join(folder, id), { recursive: true, force: true }) })),
    );
    return (await Promise.all(instances)).flat();
  }
}
