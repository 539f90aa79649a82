import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { ownProcess } from '../../ownership/process-identity.ts';
import type { KeptThing } from '../../run/kept-thing.ts';
import { folderOf } from './cache-name.ts';
import { folderBytes } from './folder-bytes.ts';
import { emptyIfAbsent, type InstanceRecord, InstanceRecords, isAbandoned } from './instance-records.ts';
import { PurgeRequests } from './purge-requests.ts';

/** What happens to the instances of caches, as it is counted. */
export type CacheEvent = 'hit' | 'miss' | 'purge';

const recordsFolder = '.instances';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** An instance of a cache that one task has for itself; disposing of it makes it free for the next. */
export interface CacheLease extends AsyncDisposable {
  /** Where it is on the host. */
  path: string;
  /** Nobody has used it before. */
  isNew: boolean;
  /** Its content is thrown away instead. */
  purge(): void;
}

/**
 * The caches of this host: `<folder>/<name>/<uuid>`, one directory per instance. Tasks that run at the same
 * time get separate instances; what they leave is found again after a restart of the worker.
 */
export class CacheStore implements AsyncDisposable {
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #onEvent: (event: CacheEvent) => void;
  readonly #records: InstanceRecords;
  readonly #purges = new PurgeRequests();
  /** Deletions under way; a task does not wait for them. */
  readonly #removals = new Set<Promise<void>>();

  constructor(folder: string, logger: Logger, onEvent: (event: CacheEvent) => void = () => {}) {
    this.#folder = folder;
    this.#logger = logger;
    this.#onEvent = onEvent;
    this.#records = new InstanceRecords(join(folder, recordsFolder));
  }

  /**
   * Gives the most recently used free instance of a cache, or a new one.
   *
   * @param name must be a valid cache name
   */
  async acquire(name: string): Promise<CacheLease> {
    const free = await this.#takeFree(name);
    const held = free ?? (await this.#create(name));
    const path = this.#pathOf(held);
    await mkdir(path, { recursive: true, mode: 0o755 });
    let purged = false;
    return {
      path,
      isNew: free === undefined,
      purge() {
        purged = true;
      },
      [Symbol.asyncDispose]: () => this.#release(held, purged),
    };
  }

  /** Forgets instances of a cache from before a time: free ones now, those in use when they are released. */
  async purge(name: string, before: Date): Promise<void> {
    this.#purges.remember(name, before);
    const records = await this.#records.list();
    this.#purges.forgetAllBut(records);
    const covered = records.filter((record) => record.name === name && this.#purges.cover(record));
    for (const record of await this.#takeAll(covered)) {
      this.#purge(record);
    }
  }

  /** Whether there is anything here that somebody could ask to purge. */
  async isEmpty(): Promise<boolean> {
    return (await this.#records.list()).length === 0;
  }

  /** Deletes every instance that no task uses, for their disk space; returns how many. */
  async freeUp(): Promise<number> {
    const removable = await this.#takeAll(await this.#records.list());
    for (const record of removable) {
      this.#remove(record);
    }
    await this.settled();
    return removable.length;
  }

  /**
   * Deletes what killed workers have left: instances that they used, which may be half written, and
   * directories of which nothing is known. Returns how many; the deletion itself goes on.
   */
  async sweep(): Promise<number> {
    // Directories first: one that is made meanwhile has a record before it exists.
    const directories = await this.#directories();
    const records = await this.#records.list();
    const known = new Set(records.map(({ id }) => id));
    const unknown = directories.filter(({ id }) => !known.has(id));
    const left = records.filter((record) => record.holder === 'removing' || isAbandoned(record));
    for (const record of left) {
      this.#remove(record);
    }
    for (const { path } of unknown) {
      this.#inBackground(rm(path, { recursive: true, force: true }));
    }
    return left.length + unknown.length;
  }

  /** Every instance with its size. */
  async kept(): Promise<KeptThing[]> {
    const records = await this.#records.list();
    return await Promise.all(
      records.map(async (record) => ({
        ...{ kind: 'cache' as const, name: record.name, lastUsed: record.lastUsed },
        ...(await folderBytes(this.#pathOf(record))),
      })),
    );
  }

  /** Waits for deletions under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#removals);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.settled();
  }

  async #takeFree(name: string): Promise<InstanceRecord | undefined> {
    const free = (await this.#records.list())
      .filter((record) => record.name === name && record.holder === 'free' && !this.#purges.cover(record))
      .sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
    for (const record of free) {
      const taken = await this.#records.pass(record, ownProcess);
      if (taken !== undefined) {
        this.#logger.info({ key: keyOf(record) }, 'cache volume hit');
        this.#onEvent('hit');
        return taken;
      }
    }
    return undefined;
  }

  async #create(name: string): Promise<InstanceRecord> {
    this.#logger.info({ name }, 'cache volume miss');
    this.#onEvent('miss');
    const created = await this.#records.create(name);
    this.#logger.info({ key: keyOf(created) }, 'cache volume created');
    return created;
  }

  async #release(held: InstanceRecord, purged: boolean): Promise<void> {
    this.#logger.info({ key: keyOf(held) }, 'cache volume release');
    if (purged || this.#purges.cover(held)) {
      this.#purge(held);
    } else {
      await this.#records.pass(held, 'free');
    }
  }

  /** Makes ours those that are free, so that no task can get them. */
  async #takeAll(records: InstanceRecord[]): Promise<InstanceRecord[]> {
    const free = records.filter(({ holder }) => holder === 'free');
    const taken = await Promise.all(free.map((record) => this.#records.pass(record, ownProcess)));
    return taken.filter((record) => record !== undefined);
  }

  /** Of a record that is ours. */
  #purge(record: InstanceRecord): void {
    this.#logger.info({ key: keyOf(record) }, 'cache volume purge');
    this.#onEvent('purge');
    this.#remove(record);
  }

  /** Of a record that is ours, or nobody's. */
  #remove(record: InstanceRecord): void {
    this.#inBackground(
      (async () => {
        const removing = await this.#records.pass(record, 'removing');
        if (removing === undefined) {
          return;
        }
        await rm(this.#pathOf(record), { recursive: true, force: true });
        await this.#records.forget(removing);
        // Gone with its last instance, unless somebody just makes another.
        await rmdir(join(this.#folder, folderOf(record.name))).catch(() => {});
        this.#logger.info({ key: keyOf(record) }, 'cache volume removed');
      })(),
    );
  }

  #inBackground(work: Promise<void>): void {
    const removal = work
      .catch((error) => this.#logger.error({ err: error }, '[alert-operator] a cache could not be removed'))
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  async #directories(): Promise<{ id: string; path: string }[]> {
    const names = await readdir(this.#folder).catch(emptyIfAbsent);
    const folders = names.filter((name) => name !== recordsFolder).map((name) => join(this.#folder, name));
    const instances = folders.map(async (folder) =>
      (await readdir(folder).catch(emptyIfAbsent))
        .filter((id) => uuid.test(id))
        .map((id) => ({ id, path: join(folder, id) })),
    );
    return (await Promise.all(instances)).flat();
  }

  #pathOf({ name, id }: InstanceRecord): string {
    return join(this.#folder, folderOf(name), id);
  }
}

function keyOf({ name, id }: InstanceRecord): string {
  return `${name}::${id}`;
}
