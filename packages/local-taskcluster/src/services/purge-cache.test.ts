import { expect, test } from '@jest/globals';
import { notExercised, startForTest } from '../testing/start.ts';
import { inMs, QUEUE_ID } from '../testing/task.ts';

test('workers of the pool learn which caches to purge', async () => {
  await using local = await startForTest();
  const { purgeCache } = local;
  await purgeCache.ping();
  const before = Date.now();
  await purgeCache.purgeCache(QUEUE_ID, { cacheName: 'checkout' });

  const { requests } = await purgeCache.purgeRequests(QUEUE_ID);
  const all = await purgeCache.allPurgeRequests();
  const elsewhere = await purgeCache.purgeRequests('other/pool');

  expect(requests).toMatchObject([{ provisionerId: 'test-provisioner', cacheName: 'checkout' }]);
  expect(Date.parse(requests[0].before)).toBeGreaterThanOrEqual(before);
  expect(all.requests).toEqual(requests);
  expect(elsewhere.requests).toEqual([]);
  expect(notExercised(local, 'purge-cache')).toEqual([]);
});

test('requests from before `since` are left out', async () => {
  await using local = await startForTest();
  await local.purgeCache.purgeCache(QUEUE_ID, { cacheName: 'checkout' });

  const { requests } = await local.purgeCache.purgeRequests(QUEUE_ID, { since: inMs(10_000) });

  expect(requests).toEqual([]);
});
