import { expect, test } from '@jest/globals';
import { TokenCache } from './token-cache.ts';

function cacheOf(lives: number[], renewEarlyMs: number) {
  let issued = 0;
  const failures: unknown[] = [];
  const cache = new TokenCache({
    async issue() {
      const life = lives[issued++];
      if (life === undefined) throw new Error('no more');
      return { value: `token ${issued}`, expires: Date.now() + life };
    },
    renewEarlyMs,
    onRenewalFailed: (error) => failures.push(error),
  });
  return { cache, failures };
}

test('near its end a token is still handed out while the next one is issued', async () => {
  const { cache } = cacheOf([30_000, 600_000], 60_000);

  expect([await cache.get(), await cache.get()]).toEqual(['token 1', 'token 1']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await cache.get()).toBe('token 2');
});

test('in its last ten seconds a token is not handed out any more', async () => {
  const { cache } = cacheOf([9_000, 600_000], 60_000);

  expect([await cache.get(), await cache.get()]).toEqual(['token 1', 'token 2']);
});

test('an early renewal that fails leaves the token in use', async () => {
  const { cache, failures } = cacheOf([30_000], 60_000);

  await cache.get();
  await cache.get();
  await new Promise((resolve) => setImmediate(resolve));

  expect(await cache.get()).toBe('token 1');
  expect(failures.length).toBeGreaterThan(0);
});

test('only the refused token is forgotten', async () => {
  const { cache } = cacheOf([600_000, 600_000], 60_000);

  await cache.get();
  cache.forget('another');
  expect(await cache.get()).toBe('token 1');
  cache.forget('token 1');
  expect(await cache.get()).toBe('token 2');
});
