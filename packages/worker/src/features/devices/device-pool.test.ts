import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testConfig } from '../../config-file/testing/worker-config.ts';
import { DevicePool } from './device-pool.ts';

let dev: string;

beforeAll(async () => {
  dev = await mkdtemp(join(tmpdir(), 'dev-'));
  await mkdir(join(dev, 'snd'));
  const nodes = ['video10', 'video2', 'vidx', 'snd/controlC0', 'snd/pcmC0D0c', 'snd/pcmC0D0p', 'snd/timer'];
  await Promise.all(nodes.map((node) => writeFile(join(dev, node), '')));
});

afterAll(() => rm(dev, { recursive: true }));

test('video devices are lent one to a task, in the order of their numbers, until there are none', () => {
  const devices = pool();

  expect([0, 1, 2].map(() => devices.take('loopbackVideo')?.unit)).toEqual([
    ['video2'],
    ['video10'],
    undefined,
  ]);
});

test('a device that is given back is lent again', () => {
  const devices = pool();
  devices.take('loopbackVideo')?.[Symbol.dispose]();

  expect(devices.take('loopbackVideo')?.unit).toEqual(['video2']);
});

test('a sound card is lent with all of its nodes', () => {
  expect(pool().take('loopbackAudio')?.unit).toEqual(['snd/controlC0', 'snd/pcmC0D0c', 'snd/pcmC0D0p']);
});

test('as many tasks fit as the scarcest device could serve', () => {
  expect(pool().room([])).toBe(1);
  expect(pool({ loopbackAudio: { enabled: false } }).room([])).toBe(2);
});

test('a claimed task counts by what it asks for', () => {
  const devices = pool({ loopbackAudio: { enabled: false } });
  const [plain, filming] = [false, true].map((loopbackVideo) => ({
    capabilities: { devices: { loopbackVideo } },
  }));

  expect(devices.room([plain])).toBe(2);
  expect(devices.room([plain, filming])).toBe(1);
});

test('devices that the host does not have limit nothing', () => {
  const devices = pool({ directory: join(dev, 'nowhere') });

  expect(devices.room([])).toBe(Number.POSITIVE_INFINITY);
  expect(devices.take('loopbackVideo')).toBeUndefined();
});

test.each([null, 'text', { capabilities: null }, { capabilities: { devices: null } }])(
  'a payload that is not even one (%j) counts as asking for nothing',
  (payload) => {
    expect(pool().room([payload])).toBe(1);
  },
);

test('with a core for each task, every claim counts', () => {
  const devices = pool({ directory: join(dev, 'nowhere'), cpu: { enabled: true } });

  expect(devices.room([{}])).toBe(availableParallelism() - 1);
  expect(devices.take('cpu')?.unit).toEqual(['0']);
});

function pool(deviceManagement: object = {}): DevicePool {
  return new DevicePool(testConfig({ deviceManagement: { directory: dev, ...deviceManagement } }));
}
