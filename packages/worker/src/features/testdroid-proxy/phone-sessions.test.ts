import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeDeviceCloud, startFakeDeviceCloud } from '@docker-worker/fake-device-cloud';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { WorkerConfig } from '../../config-file/worker-config.ts';
import { PhoneSessions } from './phone-sessions.ts';
import { phonesLeft } from './phones-left.ts';

const worker = 'p/t/g/w';
const owner = { worker, taskRun: 'fN1SbArXTPSVFNUvaOlinQ/0' };
const logger = pino({ level: 'silent' });
let cloud: FakeDeviceCloud;
let stateDirectory: string;

beforeEach(async () => {
  cloud = await startFakeDeviceCloud();
  stateDirectory = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(async () => {
  await cloud[Symbol.asyncDispose]();
  await rm(stateDirectory, { recursive: true });
});

test('a session that its service has ended leaves nothing to do', async () => {
  await using run = sessions().ofRun(owner);
  const id = open(run);

  run.note({ event: 'session-released', sessionId: id });

  expect(await journal()).toEqual([]);
});

test('a session that its service could not end is ended with the run', async () => {
  const all = sessions();
  const run = all.ofRun(owner);
  open(run);
  expect(all.open).toBe(1);

  await run[Symbol.asyncDispose]();

  expect(cloud.state.sessions.open).toEqual([]);
  expect(await journal()).toEqual([]);
  expect(all.open).toBe(0);
});

test('while the cloud is down a session is kept, and ended when the worker starts again', async () => {
  const run = sessions().ofRun(owner);
  open(run);
  cloud.state.faults.add({ hangUp: true });

  await run[Symbol.asyncDispose]();
  await ofDeadWorker();
  await sessions().sweep();
  expect(await journal()).toHaveLength(1);
  cloud.state.faults.clear();
  await sessions().sweep();

  expect(cloud.state.sessions.open).toEqual([]);
  expect(await journal()).toEqual([]);
});

test('a session of a run that goes on, or of another worker, is left alone', async () => {
  const run = sessions().ofRun(owner);
  open(run);

  await sessions().sweep();
  await ofDeadWorker();
  await new PhoneSessions(config(), 'p/t/g/other', logger).sweep();

  expect(cloud.state.sessions.open).toHaveLength(1);
});

test('a session that the cloud has ended by itself is forgotten', async () => {
  open(sessions().ofRun(owner), new Date(Date.now() - 1000));
  cloud.state.faults.add({ hangUp: true });
  await ofDeadWorker();

  await sessions().sweep();

  expect(await journal()).toEqual([]);
});

test('no more tasks are claimed than phones are free for', async () => {
  const host = { config: config(), logger };
  const all = sessions();
  const payload = { capabilities: { devices: { phone: {} } } };

  expect(await phonesLeft(host, [], all.open)).toBe(4);
  // One task has its phone, which the cloud knows; another is still to get one.
  open(all.ofRun(owner));
  expect(await phonesLeft(host, [payload, payload, {}], all.open)).toBe(2);

  cloud.state.faults.add({ status: 503 });
  expect(await phonesLeft(host, [], all.open)).toBe(0);
});

test('phones limit nothing unless they are to be counted', async () => {
  const host = { config: config({ enabled: false }), logger };

  expect(await phonesLeft(host, [], 0)).toBe(Number.POSITIVE_INFINITY);
  expect(cloud.state.requests).toEqual([]);
});

function sessions(): PhoneSessions {
  return new PhoneSessions(config(), worker, logger);
}

function config(phone: object = { enabled: true, type: 'flame' }): WorkerConfig {
  return WorkerConfig.parse({
    rootUrl: 'http://localhost',
    taskcluster: { clientId: 'c', accessToken: 'a' },
    ...{ provisionerId: 'p', workerType: 't', workerGroup: 'g', workerId: 'w', stateDirectory },
    testdroid: { cloudUrl: cloud.url, apiKey: 'fake-api-key' },
    deviceManagement: { phone },
  });
}

/** As the service tells of it. */
function open(run: { note(event: unknown): void }, expires = new Date(Date.now() + 60_000)): number {
  const [device] = cloud.state.devices.all;
  const { id } = cloud.state.sessions.create(device?.id ?? 0, 60);
  run.note({ event: 'session-opened', sessionId: id, expires: expires.toISOString() });
  return id;
}

async function journal(): Promise<string[]> {
  return await readdir(join(stateDirectory, 'phone-sessions')).catch(() => []);
}

/** The file is then of a process that no longer runs. */
async function ofDeadWorker(): Promise<void> {
  const folder = join(stateDirectory, 'phone-sessions');
  for (const name of await journal()) {
    await rename(join(folder, name), join(folder, name.replace(/\.\d+\.\d+\.(?=fN1)/, '.999999.1.')));
  }
}
