import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { HeldOutput } from './held-output.ts';

test('what is written while it is held comes afterwards, in order', async () => {
  const target = new PassThrough();
  const output = new HeldOutput(target);
  output.write('before ');
  await setImmediate();
  expect(target.read().toString()).toBe('before ');

  const held = output.hold();
  output.write('during ');
  output.write('still ');
  await setImmediate();
  expect(target.read()).toBeNull();

  held[Symbol.dispose]();
  output.write('after');
  await setImmediate();
  await setImmediate();
  expect(target.read().toString()).toBe('during still after');
});

test('it is no faster than what it passes on to', async () => {
  const target = new PassThrough({ highWaterMark: 4 });
  const output = new HeldOutput(target);
  output.write('longer than that');
  let written = false;
  output.write('x', () => {
    written = true;
  });
  await setImmediate();
  expect(written).toBe(false);

  target.resume();
  await setImmediate();
  await setImmediate();
  expect(written).toBe(true);
});
