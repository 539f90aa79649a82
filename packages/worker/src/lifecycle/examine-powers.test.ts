import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { WorkerConfig } from '../config-file/worker-config.ts';
import { capabilitiesForTest } from '../engine/testing/capabilities.ts';
import { type Examination, examine } from './examine.ts';

let dev: string;

beforeAll(async () => {
  dev = await mkdtemp(join(tmpdir(), 'dev-'));
  await mkdir(join(dev, 'shm'));
  await writeFile(join(dev, 'video0'), '');
});

afterAll(() => rm(dev, { recursive: true }));

const privileged = { capabilities: { privileged: true } };
const allowing = { dockerConfig: { allowPrivileged: true } };

test('privileged needs its scope', async () => {
  expect(await refusal(privileged, [], allowing)).toContain(
    'Insufficient scopes to run task in privileged mode',
  );
});

test.each([
  'docker-worker:capability:privileged',
  'docker-worker:capability:privileged:p/t',
  'docker-worker:*',
])('%s allows privileged', async (scope) => {
  expect(await refusal(privileged, [scope], allowing)).toBe('');
});

test('the privileged scope of another pool does not count', async () => {
  const scopes = ['docker-worker:capability:privileged:p/other'];

  expect(await refusal(privileged, scopes, allowing)).toContain('Insufficient scopes');
});

test('a role does not count for privileged', async () => {
  const refused = await refusal(privileged, ['assume:a'], allowing, ['docker-worker:capability:privileged']);

  expect(refused).toContain('Insufficient scopes to run task in privileged mode');
});

test('privileged must be allowed by the configuration', async () => {
  expect(await refusal(privileged, ['docker-worker:capability:privileged'])).toContain(
    'Error: Cannot run task using docker privileged mode',
  );
});

test('a device needs its scope', async () => {
  expect(await refusal(devices('loopbackVideo'))).toContain('Insufficient scopes to attach devices');
});

test('a role counts for a device', async () => {
  const expanded = ['docker-worker:capability:device:loopbackVideo:p/t'];

  expect(await refusal(devices('loopbackVideo'), ['assume:a'], {}, expanded)).toBe('');
});

test('every device needs its scope', async () => {
  const scopes = ['docker-worker:capability:device:loopbackVideo'];

  expect(await refusal(devices('loopbackVideo', 'hostSharedMemory'), scopes)).toContain(
    'Insufficient scopes to attach devices',
  );
});

test('a device that the host lacks is told with the reason', async () => {
  const scopes = ['docker-worker:capability:device:*'];

  expect(await refusal(devices('kvm', 'loopbackAudio'), scopes)).toMatch(
    /devices\.loopbackAudio: .* no .*\/snd\/controlC\*[\s\S]*devices\.kvm: kvm is not available .* no .*\/kvm/,
  );
});

test('a device that the configuration withholds is told so', async () => {
  const settings = { deviceManagement: { loopbackVideo: { enabled: false } } };

  expect(await refusal(devices('loopbackVideo'), ['docker-worker:capability:device:*'], settings)).toContain(
    'payload.capabilities.devices.loopbackVideo: loopbackVideo is not enabled on this worker',
  );
});

test('a device asked for with false is not asked for', async () => {
  expect(await refusal({ capabilities: { devices: { kvm: false }, privileged: false } })).toBe('');
});

test('a cache needs its scope, and the message holds what is missing and what is needed', async () => {
  const cache = { a: '/a', b: '/b' };

  expect(await refusal({ cache }, ['docker-worker:cache:a'])).toContain(
    'Insufficient scopes to attach cache volumes. The task is missing ' +
      '{"AllOf":[{"AnyOf":["docker-worker:cache:b","docker-worker:cache:b:p/t"]}]} and needs {"AllOf":[{',
  );
});

test.each([
  ['docker-worker:cache:level-1-a'],
  ['docker-worker:cache:level-1-a:p/t'],
  ['docker-worker:cache:level-1-*'],
])('%s allows the cache', async (scope) => {
  expect(await refusal({ cache: { 'level-1-a': '/a' } }, [scope])).toBe('');
});

test('a role counts for a cache', async () => {
  expect(await refusal({ cache: { a: '/a' } }, ['assume:x'], {}, ['docker-worker:cache:a'])).toBe('');
});

test.each(['a::b', '', '.', '..', '-rf', '.instances', 'x'.repeat(256)])(
  'a cache cannot be called "%s"',
  async (name) => {
    expect(await refusal({ cache: { [name]: '/a' } }, ['docker-worker:cache:*'])).toContain(
      'Error: Invalid key name was provided',
    );
  },
);

test.each(['relative', '/a:ro', '/', '', './x'])('a cache cannot be mounted at "%s"', async (mount) => {
  expect(await refusal({ cache: { a: mount } }, ['docker-worker:cache:*'])).toContain(
    'is no place for a cache',
  );
});

test('two caches cannot have one place', async () => {
  expect(await refusal({ cache: { a: '/x', b: '/x/' } }, ['docker-worker:cache:*'])).toContain(
    'payload.cache.b: another cache is at /x/ already',
  );
});

test('a task without caches has none of these problems', async () => {
  expect(await refusal({ cache: {} })).toBe('');
});

test.each([
  ['public/logs/live.log', {}],
  ['public/logs/live_backing.log', {}],
  ['mine_backing.txt', { log: 'mine.txt' }],
  ['public/dockerImage.tar', { features: { dockerSave: true } }],
])('%s cannot be declared when the worker makes it', async (name, payload) => {
  const artifacts = { [name]: { type: 'file', path: '/x' } };
  const examined = await examination({ ...payload, artifacts });

  expect(examined).toMatchObject({
    accepted: false,
    resolution: { kind: 'exception', reason: 'malformed-payload' },
  });
  expect('messages' in examined && examined.messages.join('\n')).toMatch(
    new RegExp(
      `payload\\.artifacts.*${name.replaceAll('.', '\\.')}.*the worker makes an artifact of that name itself`,
    ),
  );
});

test('what the worker makes without being asked to is free otherwise', async () => {
  const artifacts = { 'public/dockerImage.tar': { type: 'file', path: '/x' } };
  expect(await examination({ artifacts })).toMatchObject({ accepted: true });
});

function devices(...names: string[]): object {
  return { capabilities: { devices: Object.fromEntries(names.map((name) => [name, true])) } };
}

/** What a task is told that is refused; empty when it is accepted. */
async function refusal(
  payload: object,
  scopes: string[] = [],
  settings: { deviceManagement?: object; dockerConfig?: object } = {},
  expanded = scopes,
): Promise<string> {
  const examined = await examination(payload, scopes, settings, expanded);
  if (examined.accepted) {
    return '';
  }
  expect(examined.resolution).toEqual({ kind: 'failed' });
  return examined.messages.join('\n');
}

async function examination(
  payload: object,
  scopes: string[] = [],
  settings: { deviceManagement?: object; dockerConfig?: object } = {},
  expanded = scopes,
): Promise<Examination> {
  const config = WorkerConfig.parse({
    rootUrl: 'http://localhost',
    taskcluster: { clientId: 'c', accessToken: 'a' },
    ...{ provisionerId: 'p', workerType: 't', workerGroup: 'g', workerId: 'w' },
    ...settings,
    deviceManagement: { directory: dev, ...settings.deviceManagement },
  });
  const task = {
    created: '2030-01-01T00:00:00Z',
    deadline: '2030-01-02T00:00:00Z',
    expires: '2030-01-03T00:00:00Z',
    scopes,
    payload: { image: 'busybox', maxRunTime: 10, ...payload },
    metadata: { name: 'a' },
  };
  const engine = { docker: new Docker(), capabilities: capabilitiesForTest() };
  return await examine(task, { config, engine }, async () => expanded);
}
