import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalTaskcluster, startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import taskcluster, { type Client } from 'taskcluster-client';
import { WorkerConfig } from '../../config-file/worker-config.ts';
import { CacheStore } from './cache-store.ts';
import { PurgeService } from './purge-service.ts';

const logger = pino({ level: 'silent' });
const pool = 'test/caches';
let folder: string;
let local: LocalTaskcluster;
let people: Client;
let requests: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'purges-'));
  local = await startLocalTaskcluster();
  people = new taskcluster.PurgeCache({ rootUrl: local.rootUrl, credentials: local.credentials });
  requests = [];
  local.onRequest(({ method, path }) => {
    if (method === 'GET') {
      requests.push(path);
    }
  });
});

afterEach(async () => {
  await local[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('a cache that somebody asked to purge is gone before the next task gets one', async () => {
  await using store = new CacheStore(folder, logger);
  const purges = service(store);
  const path = await used(store, 'a');
  const other = await used(store, 'b');
  await people.purgeCache(pool, { cacheName: 'a' });

  await purges.apply();
  await store.settled();

  expect(existsSync(path)).toBe(false);
  expect(existsSync(other)).toBe(true);
});

test('a request that was made for an earlier instance spares the one made since', async () => {
  await using store = new CacheStore(folder, logger);
  const purges = service(store);
  await used(store, 'a');
  await people.purgeCache(pool, { cacheName: 'a' });
  await purges.apply();
  await store.settled();
  const path = await used(store, 'a');

  await purges.apply();
  await store.settled();

  expect(existsSync(path)).toBe(true);
});

test('a worker without caches asks nobody', async () => {
  await using store = new CacheStore(folder, logger);

  await service(store).apply();

  expect(requests).toEqual([]);
});

test('tasks that start together ask at most twice', async () => {
  await using store = new CacheStore(folder, logger);
  await used(store, 'a');
  const purges = service(store);

  await Promise.all(Array.from({ length: 8 }, () => purges.apply()));

  expect(requests.length).toBeGreaterThan(0);
  expect(requests.length).toBeLessThanOrEqual(2);
});

test('a service that is down does not hold a task up', async () => {
  await using store = new CacheStore(folder, logger);
  const path = await used(store, 'a');
  const purges = service(store, 'http://127.0.0.1:1');

  await purges.apply();

  expect(existsSync(path)).toBe(true);
});

function service(store: CacheStore, rootUrl = local.rootUrl): PurgeService {
  const config = WorkerConfig.parse({
    rootUrl,
    taskcluster: local.credentials,
    ...{ provisionerId: 'test', workerType: 'caches', workerGroup: 'g', workerId: 'w' },
  });
  return new PurgeService(config, store, logger);
}

async function used(store: CacheStore, name: string): Promise<string> {
  await using lease = await store.acquire(name);
  return lease.path;
}
