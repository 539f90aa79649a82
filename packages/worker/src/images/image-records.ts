import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** An image that a worker of this host has fetched. */
export interface ImageRecord {
  /** What the engine calls it; the first name is the one that it was asked for by. */
  names: string[];
  lastUsed: Date;
}

const Content = z.strictObject({ names: z.array(z.string()).min(1) });

/**
 * Which images of the engine are there because of a worker, kept on disk so that a later worker knows it too.
 * One file per image; its time of modification is when the image was last used.
 */
export class ImageRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Most recently used last. */
  async list(): Promise<ImageRecord[]> {
    const files = await readdir(this.#folder).catch(unlessAbsent([]));
    const records = await Promise.all(
      files.filter((file) => file.endsWith('.json')).map((file) => this.#read(join(this.#folder, file))),
    );
    return records
      .filter((record) => record !== undefined)
      .sort((a, b) => a.lastUsed.getTime() - b.lastUsed.getTime());
  }

  async write(names: string[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.#pathOf(names[0]);
    const unfinished = `${path}.${randomUUID()}`;
    await writeFile(unfinished, JSON.stringify({ names } satisfies z.infer<typeof Content>));
    await rename(unfinished, path);
  }

  /** An image that no worker has fetched stays unknown. */
  async touch(name: string): Promise<void> {
    const now = new Date();
    await utimes(this.#pathOf(name), now, now).catch(unlessAbsent(undefined));
  }

  async forget({ names }: ImageRecord): Promise<void> {
    await rm(this.#pathOf(names[0]), { force: true });
  }

  #pathOf(name = ''): string {
    return join(this.#folder, `${createHash('sha256').update(name).digest('hex')}.json`);
  }

  async #read(path: string): Promise<ImageRecord | undefined> {
    try {
      const [{ mtime }, text] = await Promise.all([stat(path), readFile(path, 'utf8')]);
      return { ...Content.parse(JSON.parse(text)), lastUsed: mtime };
    } catch {
      // Forgotten meanwhile, or not ours.
      return undefined;
    }
  }
}

function unlessAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') {
      return value;
    }
    throw error;
  };
}
