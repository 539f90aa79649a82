import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive, ownProcess, type ProcessIdentity } from '../../ownership/process-identity.ts';

/** Below the folder of the caches. */
export const recordsFolder = '.instances';

const Content = z.strictObject({ name: z.string(), created: z.string() });

/** `free`; `removing`, when its directory is being deleted; or the process that uses it. */
type Holder = 'free' | 'removing' | ProcessIdentity;

/** One instance of a cache, as the records tell it. */
export interface InstanceRecord {
  id: string;
  name: string;
  created: Date;
  lastUsed: Date;
  holder: Holder;
}

/**
 * Who holds which instance of a cache, kept on disk so that it survives this process, and shared by all
 * processes that use the folder: an instance is taken by renaming its record, which only one can do.
 * A record's file is called `<id>~<holder>`; its time of modification is when the instance was last used.
 */
export class InstanceRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<InstanceRecord[]> {
    const files = await readdir(this.#folder).catch(emptyIfAbsent);
    const records = await Promise.all(files.map((file) => this.#read(file)));
    return records.filter((record) => record !== undefined);
  }

  /** A new instance, held by this process. */
  async create(name: string): Promise<InstanceRecord> {
    await mkdir(this.#folder, { recursive: true });
    const record = { id: randomUUID(), name, created: new Date(), lastUsed: new Date(), holder: ownProcess };
    const content: z.infer<typeof Content> = { name, created: record.created.toJSON() };
    await writeFile(this.#pathOf(record), JSON.stringify(content), { flag: 'wx' });
    return record;
  }

  /** Changes the holder; `undefined` when somebody else was faster. */
  async pass(record: InstanceRecord, holder: Holder): Promise<InstanceRecord | undefined> {
    const passed = { ...record, holder, lastUsed: new Date() };
    try {
      await rename(this.#pathOf(record), this.#pathOf(passed));
      await utimes(this.#pathOf(passed), passed.lastUsed, passed.lastUsed);
      return passed;
    } catch (error) {
      if (isAbsent(error)) {
        return undefined;
      }
      throw error;
    }
  }

  async forget(record: InstanceRecord): Promise<void> {
    await unlink(this.#pathOf(record)).catch((error: unknown) => {
      if (!isAbsent(error)) {
        throw error;
      }
    });
  }

  #pathOf({ id, holder }: InstanceRecord): string {
    return join(this.#folder, `${id}~${holder}`);
  }

  async #read(file: string): Promise<InstanceRecord | undefined> {
    const [id = '', holder] = file.split('~');
    const path = join(this.#folder, file);
    try {
      const [{ mtime }, text] = await Promise.all([stat(path), readFile(path, 'utf8')]);
      return holder === undefined ? undefined : { id, holder, lastUsed: mtime, ...contentOf(text) };
    } catch (error) {
      if (isAbsent(error)) {
        // Passed on or forgotten meanwhile.
        return undefined;
      }
      throw error;
    }
  }
}

/** A record that was not written to its end is of no cache; its instance has no directory yet. */
function contentOf(text: string): Pick<InstanceRecord, 'name' | 'created'> {
  try {
    const { name, created } = Content.parse(JSON.parse(text));
    return { name, created: new Date(created) };
  } catch {
    return { name: '', created: new Date(0) };
  }
}

/** Held by a process that no longer runs. */
export function isAbandoned({ holder }: InstanceRecord): boolean {
  return holder !== 'free' && holder !== 'removing' && !isAlive(holder);
}

export function emptyIfAbsent(error: unknown): string[] {
  if (isAbsent(error)) {
    return [];
  }
  throw error;
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
