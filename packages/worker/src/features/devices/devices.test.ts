import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testConfig } from '../../config-file/testing/worker-config.ts';
import type { Run } from '../../run/run.ts';
import { payloadSchemaFor } from '../payload-schema.ts';
import { DevicePool } from './device-pool.ts';
import { devices } from './devices.ts';

const payload = payloadSchemaFor().parse({
  image: 'busybox',
  maxRunTime: 60,
  capabilities: { devices: { loopbackVideo: true, kvm: false } },
});
let dev: string;

beforeAll(async () => {
  dev = await mkdtemp(join(tmpdir(), 'dev-'));
  await writeFile(join(dev, 'video5'), '');
});

afterAll(() => rm(dev, { recursive: true }));

test('a device is in the container where the host has it, until its task is over', async () => {
  const pool = new DevicePool(config());
  const run = runWith(pool);

  expect((await devices.prepare?.(run, payload))?.hostConfig).toEqual({
    Devices: [{ PathOnHost: join(dev, 'video5'), PathInContainer: '/dev/video5', CgroupPermissions: 'rwm' }],
    Binds: [],
  });
  expect(pool.take('loopbackVideo')).toBeUndefined();

  await run.leases.disposeAsync();
  expect(pool.take('loopbackVideo')?.unit).toEqual(['video5']);
});

test('a run for which no device is free is given to the queue again', async () => {
  const pool = new DevicePool(config());
  pool.take('loopbackVideo');

  await expect(devices.prepare?.(runWith(pool), payload)).rejects.toMatchObject({
    resolution: { kind: 'exception', reason: 'resource-unavailable' },
    message: 'No loopbackVideo is free on this worker; the task will be tried again.',
  });
});

function config() {
  return testConfig({ deviceManagement: { directory: dev } });
}

function runWith(pool: DevicePool): Run {
  const host = { config: config(), parts: { of: () => pool } } as unknown as Run['host'];
  return { host, leases: new AsyncDisposableStack() } as Run;
}
