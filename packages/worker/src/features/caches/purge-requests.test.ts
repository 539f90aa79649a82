import { expect, test } from '@jest/globals';
import type { InstanceRecord } from './instance-records.ts';
import { PurgeRequests } from './purge-requests.ts';

const instance = (name: string, created: number) =>
  ({ name, created: new Date(created), holder: 'free' }) as InstanceRecord;

test('instances from before the latest time are covered', () => {
  const requests = new PurgeRequests();
  requests.remember('a', new Date(20));
  requests.remember('a', new Date(10));

  expect(requests.cover(instance('a', 15))).toBe(true);
  expect(requests.cover(instance('a', 20))).toBe(false);
  expect(requests.cover(instance('b', 15))).toBe(false);
});

test('what concerns no instance is forgotten, however many requests come', () => {
  const requests = new PurgeRequests();
  const old = instance('kept', 5);
  for (let count = 0; count < 1000; count++) {
    requests.remember(`cache-${count}`, new Date(10));
    requests.remember('kept', new Date(10));
    requests.forgetAllBut([old, instance(`cache-${count}`, 10)]);
  }

  expect(requests.size).toBe(1);
  expect(requests.cover(old)).toBe(true);
});
