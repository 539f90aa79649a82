import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { CacheStore } from './cache-store.ts';

const logger = pino({ level: 'silent' });
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caches-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('an instance is a directory of its own below the name of the cache', async () => {
  await using store = new CacheStore(folder, logger);
  await using lease = await store.acquire('level-1-checkouts');

  expect(lease.path).toMatch(new RegExp(`^${folder}/level-1-checkouts/[0-9a-f-]{36}$`));
  expect(await readdir(lease.path)).toEqual([]);
});

test('tasks at the same time get separate instances', async () => {
  await using store = new CacheStore(folder, logger);
  await using one = await store.acquire('a');
  await using other = await store.acquire('a');

  expect(one.path).not.toBe(other.path);
});

test('what one task leaves is there for the next', async () => {
  await using store = new CacheStore(folder, logger);
  await write(store, 'a', 'kept');

  await using lease = await store.acquire('a');

  expect(await readFile(join(lease.path, 'file'), 'utf8')).toBe('kept');
});

test('of the free instances the most recently used one is given', async () => {
  await using store = new CacheStore(folder, logger);
  const leases = [await store.acquire('a'), await store.acquire('a'), await store.acquire('a')];
  for (const at of [2, 0, 1]) {
    await leases[at]?.[Symbol.asyncDispose]();
    // File systems tell times of modification in milliseconds at best.
    await nextMillisecond();
  }

  await using first = await store.acquire('a');
  await using second = await store.acquire('a');

  expect([first.path, second.path]).toEqual([leases[1]?.path, leases[0]?.path]);
});

test('caches of different names share nothing', async () => {
  await using store = new CacheStore(folder, logger);
  await write(store, 'a', 'of a');

  await using lease = await store.acquire('b');

  expect(await readdir(lease.path)).toEqual([]);
});

test('a name with a slash or a colon is one folder that can be mounted', async () => {
  await using store = new CacheStore(folder, logger);
  await using lease = await store.acquire('../up:ro');

  expect(await readdir(folder)).toContain('..%2Fup%3Aro');
  expect(existsSync(lease.path)).toBe(true);
});

test('a purged instance is gone after its release, and the next task starts anew', async () => {
  await using store = new CacheStore(folder, logger);
  const lease = await store.acquire('a');
  lease.purge();
  expect(existsSync(lease.path)).toBe(true);
  await lease[Symbol.asyncDispose]();
  await store.settled();

  expect(await contents()).toEqual([]);
});

test('a purge removes free instances that are older, and spares what is newer', async () => {
  await using store = new CacheStore(folder, logger);
  await write(store, 'a', 'old');
  await nextMillisecond();
  const before = new Date();
  await using inUse = await store.acquire('other');
  await store.purge('a', before);
  await store.settled();
  expect(await contents()).toEqual(['other']);

  await write(store, 'a', 'new');
  await store.purge('a', before);
  await store.settled();

  expect(await contents()).toEqual(['a', 'other']);
  expect(existsSync(inUse.path)).toBe(true);
});

test('a purge of an instance in use takes effect when it is released', async () => {
  await using store = new CacheStore(folder, logger);
  const lease = await store.acquire('a');
  await nextMillisecond();
  await store.purge('a', new Date());
  await store.settled();
  expect(existsSync(lease.path)).toBe(true);

  await lease[Symbol.asyncDispose]();
  await store.settled();

  expect(existsSync(lease.path)).toBe(false);
});

test('it is told what happens to the instances', async () => {
  const events: string[] = [];
  await using store = new CacheStore(folder, logger, (event) => events.push(event));

  await write(store, 'a', 'new');
  await write(store, 'a', 'used');
  await nextMillisecond();
  await store.purge('a', new Date());
  await write(store, 'a', 'new again');

  expect(events).toEqual(['miss', 'hit', 'purge', 'miss']);
});

test('freeing disk space removes all that nobody uses', async () => {
  await using store = new CacheStore(folder, logger);
  await write(store, 'a', '1');
  await write(store, 'b', '2');
  await using inUse = await store.acquire('c');

  expect(await store.freeUp()).toBe(2);

  expect(await contents()).toEqual(['c']);
  expect(existsSync(inUse.path)).toBe(true);
});

test('a restarted worker goes on with what its tasks had released', async () => {
  await write(new CacheStore(folder, logger), 'a', 'from before');
  await using store = new CacheStore(folder, logger);

  expect(await store.sweep()).toBe(0);
  await using lease = await store.acquire('a');

  expect(await readFile(join(lease.path, 'file'), 'utf8')).toBe('from before');
});

test('what a killed worker was using is removed', async () => {
  await using store = new CacheStore(folder, logger);
  const lease = await store.acquire('a');
  await writeFile(join(lease.path, 'half'), 'written');
  const [record = ''] = await readdir(join(folder, '.instances'));
  const { pid } = spawnSync('true');
  const [id, holder = ''] = record.split('~');
  const [boot, namespace] = holder.split(':');
  await rename(
    join(folder, '.instances', record),
    join(folder, '.instances', `${id}~${boot}:${namespace}:${pid}:1`),
  );

  expect(await store.sweep()).toBe(1);
  await store.settled();

  expect(await contents()).toEqual([]);
  expect(await readdir(join(folder, '.instances'))).toEqual([]);
});

test('directories of which nothing is known are removed, and nothing else in the folder', async () => {
  await mkdir(join(folder, 'old', '3b241101-e2bb-4255-8caf-4136c566a962'), { recursive: true });
  await mkdir(join(folder, 'mine', 'photos'), { recursive: true });
  await using store = new CacheStore(folder, logger);

  expect(await store.sweep()).toBe(1);
  await store.settled();

  expect(existsSync(join(folder, 'old', '3b241101-e2bb-4255-8caf-4136c566a962'))).toBe(false);
  expect(existsSync(join(folder, 'mine', 'photos'))).toBe(true);
});

test('two stores on one folder never give the same instance', async () => {
  await using one = new CacheStore(folder, logger);
  await using other = new CacheStore(folder, logger);
  for (let made = 0; made < 4; made++) {
    await write(one, `filler-${made}`, '');
  }
  await write(one, 'a', 'shared');

  const leases = await Promise.all([one, other, one, other].map((store) => store.acquire('a')));

  expect(new Set(leases.map(({ path }) => path)).size).toBe(4);
  expect(leases.filter(({ path }) => existsSync(join(path, 'file')))).toHaveLength(1);
  await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
});

/** Names of the caches that have a directory. */
async function contents(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name !== '.instances').sort();
}

async function write(store: CacheStore, name: string, text: string): Promise<void> {
  await using lease = await store.acquire(name);
  await writeFile(join(lease.path, 'file'), text);
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() <= now + 1) {
    await new Promise(setImmediate);
  }
}
