import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { RunUnit } from './run-unit.ts';
import { WarmUnits, type WarmUnitsOptions } from './warm-units.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const proxy = { name: 'tc-proxy' } as Sidecar;

/** Units that take so long to make, and what has become of them. */
function makeUnits({ makingMs = 500, ...options }: Partial<WarmUnitsOptions> & { makingMs?: number } = {}) {
  const alive: RunUnit[] = [];
  const made: string[] = [];
  const units = new WarmUnits({
    ...{ count: 1, sidecars: [proxy], most: 4, logger: pino({ level: 'silent' }) },
    networks: new AsyncDisposableStack(),
    async make(sidecars, taskRun) {
      const isAhead = taskRun === 'warm';
      if (isAhead) {
        made.push(sidecars.map(({ name }) => name).join());
      }
      const unit = {
        taskRun,
        usable: true,
        started: new Promise((resolve) => setTimeout(resolve, makingMs)),
        async [Symbol.asyncDispose]() {
          alive.splice(alive.indexOf(unit), 1);
        },
      } as unknown as RunUnit;
      if (isAhead) {
        alive.push(unit);
      }
      return unit;
    },
    ...options,
  });
  return { units, alive, made };
}

test('what the configuration names is kept ready, and nothing else that nobody asks for', async () => {
  const { units, made } = makeUnits();

  units.refill();
  units.refill();

  expect(made).toEqual(['tc-proxy']);
  expect(await units.take([], 'task/0')).toMatchObject({ taskRun: 'task/0' });
  expect(await units.take([proxy], 'task/0')).toMatchObject({ taskRun: 'warm' });
  await units[Symbol.asyncDispose]();
});

test('a kind that is asked for is made ahead as well, as many as are asked for while one is made', async () => {
  const { units, made } = makeUnits({ most: 8, makingMs: 1_000 });
  for (let task = 0; task < 30; task += 1) {
    await units.take([], 'task/0');
    units.refill();
    await jest.advanceTimersByTimeAsync(100);
  }
  made.length = 0;
  for (let each = 0; each < 3; each += 1) {
    expect(await units.take([], 'task/0')).toMatchObject({ taskRun: 'warm' });
  }
  units.refill();

  // 33 in ten seconds, of which one takes a second.
  expect(made).toEqual(['', '', '', '']);
  await units[Symbol.asyncDispose]();
});

test('however fast they are asked for, no more are there than may be', async () => {
  const { units, made } = makeUnits({ most: 4, makingMs: 60_000 });
  for (let task = 0; task < 100; task += 1) {
    await units.take([], 'task/0');
  }
  units.refill();

  expect(made).toEqual(['tc-proxy', '', '', '']);
  await units[Symbol.asyncDispose]();
});

test('what nobody asks for any more is removed, but for what the configuration names', async () => {
  const { units, alive } = makeUnits();
  await units.take([], 'task/0');
  units.refill();
  await jest.advanceTimersByTimeAsync(1_000);
  expect(alive).toHaveLength(2);

  await jest.advanceTimersByTimeAsync(60_000);

  expect(alive).toHaveLength(1);
  expect(await units.take([proxy], 'task/0')).toMatchObject({ taskRun: 'warm' });
  await units[Symbol.asyncDispose]();
});

test('what is asked for all the time keeps nothing else that nobody asks for any more', async () => {
  const other = { name: 'vpn-proxy' } as Sidecar;
  const { units, made, alive } = makeUnits({ count: 0, most: 2 });
  await units.take([other], 'task/0');
  units.refill();
  for (let second = 0; second < 20; second += 1) {
    await jest.advanceTimersByTimeAsync(1_000);
    await units.take([], 'task/0');
  }
  units.refill();

  expect(made.filter((name) => name === 'vpn-proxy')).toHaveLength(1);
  expect(alive).toHaveLength(1);
  await units[Symbol.asyncDispose]();
});

test('one that is being made is waited for by one run; the next does not wait', async () => {
  const making = Promise.withResolvers<RunUnit>();
  const unitOf = (taskRun: string) =>
    ({ taskRun, usable: true, started: Promise.resolve() }) as unknown as RunUnit;
  const { units } = makeUnits({
    make: async (_, taskRun) => (taskRun === 'warm' ? making.promise : unitOf(taskRun)),
  });
  units.refill();

  const first = units.take([proxy], 'task/0');
  expect(await units.take([proxy], 'task/1')).toMatchObject({ taskRun: 'task/1' });
  making.resolve(unitOf('warm'));

  expect(await first).toMatchObject({ taskRun: 'warm' });
  await units[Symbol.asyncDispose]();
});

test('nothing is made after the end, and all that was made is gone', async () => {
  const { units, alive } = makeUnits();
  await units.take([], 'task/0');
  units.refill();

  await units[Symbol.asyncDispose]();
  units.refill();

  expect(alive).toEqual([]);
});
