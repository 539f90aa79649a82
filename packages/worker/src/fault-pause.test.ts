import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { FaultPause } from './fault-pause.ts';
import type { Resolution } from './run/resolution.ts';

const givenBack: Resolution = { kind: 'exception', reason: 'worker-shutdown' };
const never = new AbortController().signal;

function startPause(firstMs: number) {
  const told: number[] = [];
  const lines = new Writable({
    write(line, _encoding, done) {
      told.push(JSON.parse(line).seconds);
      done();
    },
  });
  return { pause: new FaultPause(pino(lines), { firstMs, longestMs: firstMs * 2 }), told };
}

test('each fault of the host makes a longer pause, up to a limit, and a run that ends otherwise none', async () => {
  const { pause, told } = startPause(20);

  for (const resolution of [givenBack, givenBack, givenBack, { kind: 'completed' } as const, givenBack]) {
    pause.ended(resolution);
    await pause.over(never);
  }

  expect(told).toEqual([0.02, 0.04, 0.04, 0.02]);
});

test('runs that meet a fault together make one pause', () => {
  const { pause, told } = startPause(600_000);

  pause.ended(givenBack);
  pause.ended(givenBack);

  expect(told).toEqual([600]);
});

test('a worker that is told to end does not wait', async () => {
  const { pause } = startPause(600_000);
  const stopping = new AbortController();
  pause.ended(givenBack);

  const over = pause.over(stopping.signal);
  stopping.abort();

  await over;
});
