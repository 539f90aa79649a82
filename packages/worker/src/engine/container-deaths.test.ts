import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { ContainerDeaths } from './container-deaths.ts';

const event = (action: string, id: string, attributes?: Record<string, string>) =>
  `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: id, Attributes: attributes } })}\n`;

test('each container that is watched is told of its own death, and why', async () => {
  const events = new PassThrough();
  const deaths = new ContainerDeaths(events);
  const first = deaths.watch('a');
  const second = deaths.watch('b');

  events.write(event('die', 'stranger', { exitCode: '0' }));
  events.write('what is this\n{"Action":7}\n');
  events.write(event('oom', 'b') + event('die', 'b', { exitCode: '137' }));
  events.write(event('die', 'a', { exitCode: '3' }));

  expect(await second.died).toEqual({ exitCode: 137, outOfMemory: true });
  expect(await first.died).toEqual({ exitCode: 3, outOfMemory: false });
});

test('who no longer watches is not told', async () => {
  const events = new PassThrough();
  const deaths = new ContainerDeaths(events);
  const told: string[] = [];
  const left = deaths.watch('a');
  void left.died.then(() => told.push('a'));
  const stayed = deaths.watch('b');
  left[Symbol.dispose]();

  events.write(event('die', 'a', { exitCode: '1' }) + event('die', 'b', { exitCode: '1' }));

  await stayed.died;
  expect(told).toEqual([]);
});
