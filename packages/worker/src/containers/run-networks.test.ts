import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { Engine } from '../engine/engine.ts';
import { RunNetworks } from './run-networks.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const owner = { worker: 'worker', taskRun: 'task/0' };

/** Networks on an engine of which those that are there are known, and what is attached to them. */
function makeNetworks(most: number) {
  const there = new Map<string, Record<string, object>>();
  let made = 0;
  const docker = {
    async createNetwork() {
      const id = `network-${made++}`;
      there.set(id, {});
      return { id };
    },
    getNetwork: (id: string) => ({
      async inspect() {
        if (!there.has(id)) {
          throw Object.assign(new Error('no such network'), { statusCode: 404 });
        }
        return { Containers: there.get(id) };
      },
      disconnect: async () => {},
      async remove() {
        there.delete(id);
      },
    }),
  };
  const engine = { docker, lost: new AbortController().signal } as unknown as Engine;
  const logger = pino({ level: 'silent' });
  return { there, networks: new RunNetworks({ engine, subnets: '172.29.0.0/16', most, logger }) };
}

test('a network on which nothing is left is handed on to the next run, and removed when none comes', async () => {
  const { there, networks } = makeNetworks(1);
  const first = await networks.take(owner);
  await first[Symbol.asyncDispose]();
  const second = await networks.take(owner);

  expect(second.id).toBe(first.id);
  await jest.advanceTimersByTimeAsync(60_000);
  expect([...there.keys()]).toEqual([first.id]);
  await second[Symbol.asyncDispose]();
  await jest.advanceTimersByTimeAsync(60_000);
  expect([...there.keys()]).toEqual([]);
});

test('a network on which something is left is not handed on', async () => {
  const { there, networks } = makeNetworks(1);
  const first = await networks.take(owner);
  there.set(first.id, { container: {} });
  await first[Symbol.asyncDispose]();

  const second = await networks.take(owner);

  expect([...there.keys()]).toEqual([second.id]);
});

test('a network that somebody has removed meanwhile is not handed on', async () => {
  const { there, networks } = makeNetworks(1);
  const first = await networks.take(owner);
  await first[Symbol.asyncDispose]();
  there.delete(first.id);

  const second = await networks.take(owner);

  expect([...there.keys()]).toEqual([second.id]);
});

test('no more are kept than may be, and after the end none', async () => {
  const { there, networks } = makeNetworks(2);
  const taken = await Promise.all(Array.from({ length: 4 }, () => networks.take(owner)));
  const late = await networks.take(owner);
  await Promise.all(taken.map((network) => network[Symbol.asyncDispose]()));
  expect(there.size).toBe(3);

  await networks[Symbol.asyncDispose]();
  expect([...there.keys()]).toEqual([late.id]);
  await late[Symbol.asyncDispose]();

  expect(there.size).toBe(0);
});
