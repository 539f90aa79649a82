import { isAbsolute, join } from 'node:path';
import type { Logger } from 'pino';
import { ownProcess } from '../../ownership/process-identity.ts';
import type { KeptThing } from '../../run/kept-thing.ts';
import type { CacheContents } from './cache-contents.ts';
import { CacheFolders } from './cache-folders.ts';
import { folderBytes } from './folder-bytes.ts';
import { type InstanceRecord, InstanceRecords, isAbandoned, recordsFolder } from './instance-records.ts';
import { PurgeRequests } from './purge-requests.ts';

/** What happens to the instances of caches, as it is counted. */
export type CacheEvent = 'hit' | 'miss' | 'purge';

/** An instance of a cache that one task has for itself; disposing of it makes it free for the next. */
export interface CacheLease extends AsyncDisposable {
  /** As the engine mounts it: a path of the host, or the name of a volume. */
  path: string;
  /** Nobody has used it before, and it is not like the folder of any image yet. */
  isBare: boolean;
  /** Its content is thrown away instead. */
  purge(): void;
}

/** Where the instances are, and the folder in which it is told of them. */
export interface CachePlace {
  records: string;
  contents: CacheContents;
}

/**
 * The caches of this host, of any number of instances each. Tasks that run at the same
 * time get separate instances; what they leave is found again after a restart of the worker.
 */
export class CacheStore implements AsyncDisposable {
  readonly #place: Promise<{ records: InstanceRecords; contents: CacheContents }>;
  readonly #logger: Logger;
  readonly #onEvent: (event: CacheEvent) => void;
  readonly #purges = new PurgeRequests();
  /** Deletions under way; a task does not wait for them. */
  readonly #removals = new Set<Promise<void>>();

  /** @param place a folder, for directories in it */
  constructor(
    place: string | Promise<CachePlace>,
    logger: Logger,
    onEvent: (event: CacheEvent) => void = () => {},
  ) {
    this.#place = openPlace(place);
    // Whoever needs it is told.
    this.#place.catch(() => {});
    this.#logger = logger;
    this.#onEvent = onEvent;
  }

  /**
   * Gives the most recently used free instance of a cache, or a new one.
   *
   * @param name must be a valid cache name
   */
  async acquire(name: string): Promise<CacheLease> {
    const { contents } = await this.#place;
    const free = await this.#takeFree(name);
    const held = free ?? (await this.#create(name));
    await contents.make(held);
    let purged = false;
    return {
      path: contents.source(held),
      isBare: free === undefined && !contents.likeImage,
      purge() {
        purged = true;
      },
      [Symbol.asyncDispose]: () => this.#release(held, purged),
    };
  }

  /** Forgets instances of a cache from before a time: free ones now, those in use when they are released. */
  async purge(name: string, before: Date): Promise<void> {
    this.#purges.remember(name, before);
    const records = await (await this.#place).records.list();
    this.#purges.forgetAllBut(records);
    const covered = records.filter((record) => record.name === name && this.#purges.cover(record));
    for (const record of await this.#takeAll(covered)) {
      this.#purge(record);
    }
  }

  /** Whether there is anything here that somebody could ask to purge. */
  async isEmpty(): Promise<boolean> {
    return (await (await this.#place).records.list()).length === 0;
  }

  /** Deletes every instance that no task uses, for their disk space; returns how many. */
  async freeUp(): Promise<number> {
    const removable = await this.#takeAll(await (await this.#place).records.list());
    for (const record of removable) {
      this.#remove(record);
    }
    await this.settled();
    return removable.length;
  }

  /**
   * Deletes what killed workers have left: instances that they used, which may be half written, and
   * contents of which nothing is known. Returns how many; the deletion itself goes on.
   */
  async sweep(): Promise<number> {
    // Contents first: one that is made meanwhile has a record before it exists.
    const place = await this.#place;
    const contents = await place.contents.list();
    const records = await place.records.list();
    const known = new Set(records.map(({ id }) => id));
    const unknown = contents.filter(({ id }) => !known.has(id));
    const left = records.filter((record) => record.holder === 'removing' || isAbandoned(record));
    for (const record of left) {
      this.#remove(record);
    }
    for (const content of unknown) {
      this.#inBackground(content.remove());
    }
    return left.length + unknown.length;
  }

  /** Every instance, with its size where it is a folder of this host. */
  async kept(): Promise<KeptThing[]> {
    const { records, contents } = await this.#place;
    return await Promise.all(
      (await records.list()).map(async (record) => {
        const { name, lastUsed } = record;
        const source = contents.source(record);
        const size = isAbsolute(source) ? await folderBytes(source) : {};
        return { kind: 'cache' as const, name, lastUsed, ...size };
      }),
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
    const { records } = await this.#place;
    const free = (await records.list())
      .filter((record) => record.name === name && record.holder === 'free' && !this.#purges.cover(record))
      .sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
    for (const record of free) {
      const taken = await records.pass(record, ownProcess);
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
    const created = await (await this.#place).records.create(name);
    this.#logger.info({ key: keyOf(created) }, 'cache volume created');
    return created;
  }

  async #release(held: InstanceRecord, purged: boolean): Promise<void> {
    this.#logger.info({ key: keyOf(held) }, 'cache volume release');
    if (purged || this.#purges.cover(held)) {
      this.#purge(held);
    } else {
      await (await this.#place).records.pass(held, 'free');
    }
  }

  /** Makes ours those that are free, so that no task can get them. */
  async #takeAll(records: InstanceRecord[]): Promise<InstanceRecord[]> {
    const free = records.filter(({ holder }) => holder === 'free');
    const { records: all } = await this.#place;
    const taken = await Promise.all(free.map((record) => all.pass(record, ownProcess)));
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
        const { records, contents } = await this.#place;
        const removing = await records.pass(record, 'removing');
        if (removing === undefined) {
          return;
        }
        await contents.remove(record);
        await records.forget(removing);
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
}

async function openPlace(place: string | Promise<CachePlace>) {
  const { records, contents } =
    typeof place === 'string' ? { records: place, contents: new CacheFolders(place) } : await place;
  return { records: new InstanceRecords(join(records, recordsFolder)), contents };
}

function keyOf({ name, id }: InstanceRecord): string {
  return `${name}::${id}`;
}
