import { expect, test } from '@jest/globals';
import { SharedOperations } from './shared-operations.ts';

test('who wants the same at the same time takes part in one operation', async () => {
  const shared = new SharedOperations<string, string>();
  const { promise, resolve } = Promise.withResolvers<string>();
  let started = 0;
  const start = () => {
    started += 1;
    return promise;
  };

  const results = [shared.join('a', start, {}), shared.join('a', start, {})];
  resolve('done');

  expect(await Promise.all(results)).toEqual(['done', 'done']);
  expect(started).toBe(1);
});

test('all who take part are told what happens', async () => {
  const shared = new SharedOperations<string, void>();
  const { promise, resolve } = Promise.withResolvers<void>();
  const told: string[] = [];
  let tell: (event: string) => void = () => {};
  const start = (teller: (event: string) => void) => {
    tell = teller;
    return promise;
  };

  const results = ['one', 'other'].map((name) =>
    shared.join('a', start, { onEvent: (event) => told.push(`${name}: ${event}`) }),
  );
  tell('step');
  resolve();
  await Promise.all(results);

  expect(told).toEqual(['one: step', 'other: step']);
});

test('one who leaves does not stop it for the others; the last one does', async () => {
  const shared = new SharedOperations<string, void>();
  const one = new AbortController();
  const other = new AbortController();
  let stopped: AbortSignal | undefined;
  const start = (_tell: unknown, signal: AbortSignal) => {
    stopped = signal;
    return new Promise<void>(() => {});
  };

  const results = [one, other].map(({ signal }) => shared.join('a', start, { signal }));
  one.abort(new Error('one has left'));
  await expect(results[0]).rejects.toThrow('one has left');
  expect(stopped?.aborted).toBe(false);
  other.abort(new Error('other has left'));
  await expect(results[1]).rejects.toThrow('other has left');

  expect(stopped?.aborted).toBe(true);
});

test('one that was given up is begun anew for who comes then', async () => {
  const shared = new SharedOperations<string, string>();
  const leaving = new AbortController();
  const first = shared.join('a', () => new Promise<string>(() => {}), { signal: leaving.signal });
  leaving.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');

  expect(await shared.join('a', async () => 'anew', {})).toBe('anew');
});

test('a failure reaches all, and the next one tries again', async () => {
  const shared = new SharedOperations<string, string>();
  const fail = async () => {
    throw new Error('refused');
  };

  const results = await Promise.allSettled([shared.join('a', fail, {}), shared.join('a', fail, {})]);

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await shared.join('a', async () => 'later', {})).toBe('later');
});
