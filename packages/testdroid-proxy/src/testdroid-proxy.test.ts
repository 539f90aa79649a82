import { request as httpRequest } from 'node:http';
import { type FakeDeviceCloud, startFakeDeviceCloud } from '@docker-worker/fake-device-cloud';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startProxy, type TestProxy } from './testing/start-proxy.ts';

const build = 'https://example.com/builds/one/flame.zip';
const flame = { type: 'flame', build, memory: '319', sims: '0' };
const flash = { project: 'flash-fxos-new-url', pollSeconds: 0.02 };
let cloud: FakeDeviceCloud;

beforeEach(async () => {
  cloud = await startFakeDeviceCloud();
});
afterEach(async () => {
  await cloud[Symbol.asyncDispose]();
});

test('a device with the build is borrowed with its proxies, and given back', async () => {
  await using proxy = await start();

  const borrowed = await post(proxy, '/device', flame);

  expect(borrowed.status).toBe(200);
  expect(borrowed.body).toMatchObject({
    session: { id: 1001 },
    device: { displayName: expect.stringMatching(/^flame/) },
    proxies: { adb: { type: 'adb', port: 20_001 }, marionette: { type: 'marionette', port: 30_001 } },
    proxyHost: '192.0.2.2',
  });
  expect(cloud.state.sessions.open).toHaveLength(1);

  expect(await post(proxy, '/device/release')).toEqual({ status: 200, body: 'Device released' });
  expect(cloud.state.sessions.open).toEqual([]);
  expect(proxy.events).toEqual([
    { event: 'session-opened', sessionId: 1001, expires: expect.any(String) },
    { event: 'session-released', sessionId: 1001 },
  ]);
  expect(await post(proxy, '/device/release')).toEqual({
    status: 400,
    body: 'No device session to release',
  });
});

test('a cloud without the proxy plugin is asked for the connections of the session', async () => {
  cloud.state.proxyPlugin = false;
  await using proxy = await start({ proxyHost: '10.1.2.9' });

  const { body } = await post(proxy, '/device', flame);

  expect(body).toMatchObject({
    proxies: { adb: { host: '192.0.2.2', port: 20_001 } },
    proxyHost: '10.1.2.9',
  });
});

test('all capabilities count', async () => {
  await using proxy = await start();

  const { body } = await post(proxy, '/device', {
    ...flame,
    ...{ sims: '1', imei: '356938035643809', phone_number: '+15550100' },
  });

  expect(body).toMatchObject({ device: { displayName: 'flame with a card' } });
});

test('a device is flashed when none has the build, with the URL as it was given', async () => {
  await using proxy = await start({ flash });

  const { status, body } = await post(proxy, '/device', { ...flame, build: 'https://example.com/new.zip' });

  expect(status).toBe(200);
  expect(body).toMatchObject({ proxies: { adb: {} } });
  const [run] = cloud.state.runs.all;
  expect(Object.fromEntries(run?.parameters.map(({ key, value }) => [key, value]) ?? [])).toEqual({
    FLAME_ZIP_URL: 'https://example.com/new.zip',
    MEM_TOTAL: '319',
    BUILD_LABEL: '319_https://example.com/new.zip',
  });
});

test('without a project to flash with, a build that no device has is not to be had', async () => {
  await using proxy = await start();

  const { status, body } = await post(proxy, '/device', { ...flame, build: 'https://example.com/new.zip' });

  expect([status, body]).toEqual([500, { error: 'Error: Could not find a free device after 2 attempts' }]);
  expect(cloud.state.runs.all).toEqual([]);
});

test('a flashing that fails is tried once more, on the free devices that are left', async () => {
  cloud.state.runs.behaviour.outcome = 'FAILED';
  await using proxy = await start({ flash });

  const { status, body } = await post(proxy, '/device', { ...flame, build: 'https://example.com/new.zip' });

  expect(status).toBe(500);
  expect(body).toEqual({
    error: 'Error: Could not flash device after 2 attempts: the flashing ended as FAILED',
  });
  expect(cloud.state.runs.all).toHaveLength(2);
});

test('a flashing that never begins is aborted when its time is over', async () => {
  cloud.state.runs.behaviour.waitMs = undefined;
  await using proxy = await start({ flash: { ...flash, limitSeconds: 0.1 } });

  const { status } = await post(proxy, '/device', { ...flame, build: 'https://example.com/new.zip' });

  expect(status).toBe(500);
  expect(cloud.state.runs.all.map(({ state }) => state)).toEqual(['FINISHED', 'FINISHED']);
  expect(cloud.state.devices.all.some(({ locked }) => locked)).toBe(false);
});

test('a session that is refused at first is asked for again', async () => {
  cloud.state.faults.add({ method: 'POST', path: '/me/device-sessions', times: 3, status: 400 });
  await using proxy = await start();

  expect((await post(proxy, '/device', flame)).status).toBe(200);
});

test('a device whose proxies do not come is given back', async () => {
  cloud.state.proxyTypes = ['adb'];
  await using proxy = await start({ proxyTries: 3 });

  const { status, body } = await post(proxy, '/device', flame);

  expect([status, body]).toEqual([
    500,
    { error: 'Error: Could not get the marionette proxy of the device: the cloud does not have it' },
  ]);
  expect(cloud.state.sessions.open).toEqual([]);
});

test.each([
  [{}, ['type', 'build', 'memory']],
  [{ ...flame, memory: 319 }, ['memory']],
  [{ ...flame, colour: 'red' }, ['colour']],
])('the body %j is refused by its keys', async (body, keys) => {
  await using proxy = await start();

  const answer = await post(proxy, '/device', body);

  expect(answer).toEqual({
    status: 400,
    body: {
      ...{ statusCode: 400, error: 'Bad Request', message: expect.any(String) },
      validation: { source: 'payload', keys },
    },
  });
});

test('while a device is held another one is a conflict, which shows the session', async () => {
  await using proxy = await start();
  await post(proxy, '/device', flame);

  const { status, body } = await post(proxy, '/device', flame);

  expect(status).toBe(409);
  expect(body).toMatchObject({ statusCode: 409, session: { id: 1001 }, proxies: { adb: {} } });
  expect(cloud.state.sessions.open).toHaveLength(1);
});

test('with wait=0 the answer comes at once, and GET /device tells how it goes', async () => {
  await using proxy = await start({ flash });
  cloud.state.runs.behaviour.waitMs = undefined;

  const begun = await post(proxy, '/device?wait=0', { ...flame, build: 'https://example.com/new.zip' });
  await cloud.state.until(() => cloud.state.runs.all.some(({ deviceRuns }) => deviceRuns.length > 0));
  const meanwhile = await get(proxy, '/device');

  expect([begun.status, begun.body]).toMatchObject([202, { state: 'acquiring' }]);
  expect(meanwhile.body).toMatchObject({
    state: 'acquiring',
    step: expect.stringMatching(/^flashing flame/),
  });
  expect((await post(proxy, '/device/release')).status).toBe(200);
  expect((await get(proxy, '/device')).body).toMatchObject({ state: 'none' });
  expect(cloud.state.runs.all.map(({ state }) => state)).toEqual(['FINISHED']);
});

test('a client that leaves while it waits leaves nothing behind', async () => {
  await using proxy = await start();
  cloud.state.proxyTypes = [];
  const asked = httpRequest(`${proxy.url}/device`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  asked.on('error', () => {}).end(JSON.stringify(flame));
  await cloud.state.until(() => cloud.state.sessions.open.length === 1);

  asked.socket?.resetAndDestroy();

  await cloud.state.until(() => cloud.state.sessions.open.length === 0);
});

test('the device is given back when its time is over', async () => {
  await using proxy = await start({ deviceTimeout: 0.2 });
  await post(proxy, '/device', flame);

  await cloud.state.until(() => cloud.state.sessions.open.length === 0);

  expect(cloud.state.sessions.all.map(({ state }) => state)).toEqual(['SUCCEEDED']);
});

test('the device is given back when the service is to end', async () => {
  await using proxy = await start();
  await post(proxy, '/device', flame);

  await proxy.drain();

  expect(cloud.state.sessions.open).toEqual([]);
});

test('a cloud that is down for a moment does not keep a device from being given back', async () => {
  await using proxy = await start();
  await post(proxy, '/device', flame);
  cloud.state.faults.add({ path: '/release', times: 2, status: 503 });

  expect((await post(proxy, '/device/release')).status).toBe(200);
  expect(cloud.state.sessions.open).toEqual([]);
});

test('what the cloud could not be told is tried again at the next release', async () => {
  await using proxy = await start();
  await post(proxy, '/device', flame);
  cloud.state.faults.add({ path: '/release', hangUp: true });

  const failed = await post(proxy, '/device/release');
  cloud.state.faults.clear();

  expect(failed.status).toBe(500);
  expect((await post(proxy, '/device', flame)).status).toBe(409);
  expect((await post(proxy, '/device/release')).status).toBe(200);
  expect(cloud.state.sessions.open).toEqual([]);
});

test('properties of the device are told by their groups', async () => {
  await using proxy = await start();
  expect((await get(proxy, '/device/properties')).status).toBe(400);
  await post(proxy, '/device', flame);

  expect((await get(proxy, '/device/properties')).body).toMatchObject({
    codename: 'flame',
    build_identifier: `319_${build}`,
  });
});

test('devices of the account are listed', async () => {
  await using proxy = await start();

  expect((await get(proxy, '/devices')).body).toHaveLength(4);
});

test('name and password give a token that is renewed, and no secret is in the log', async () => {
  cloud.state.accounts.tokenLife = 0.2;
  await using proxy = await startProxy({
    cloudUrl: cloud.url,
    username: 'joe@example.com',
    password: 'fake-password',
  });
  await get(proxy, '/devices');
  await new Promise((resolve) => setTimeout(resolve, 250));
  await get(proxy, '/devices');

  expect(cloud.state.accounts.granted).toEqual({ password: 1, refresh_token: 1 });
  cloud.state.accounts.expire(true);
  expect((await get(proxy, '/devices')).status).toBe(200);
  expect(cloud.state.accounts.granted.password).toBe(2);
  expect(proxy.log()).not.toContain('fake-password');
});

test('a wrong key is told without the key', async () => {
  await using proxy = await startProxy({ cloudUrl: cloud.url, apiKey: 'wrong-secret-key' });

  const { status, body } = await get(proxy, '/devices');

  expect([status, body]).toEqual([500, { error: 'Error: the cloud answered 401 to GET /api/v2/devices' }]);
  expect(proxy.log()).not.toContain(Buffer.from('wrong-secret-key:').toString('base64'));
});

test('a path that is none is a 404 in JSON, and the service says that it runs', async () => {
  await using proxy = await start();

  expect(await get(proxy, '/nothing?x')).toEqual({
    status: 404,
    body: { statusCode: 404, error: 'Not Found', message: 'nothing is at GET /nothing' },
  });
  expect(await get(proxy, '/')).toEqual({ status: 200, body: 'Server running' });
});

test('the OpenAPI document has every route', async () => {
  await using proxy = await start();

  const { body } = await get(proxy, '/openapi.json');

  const { paths } = body as { paths: Record<string, object> };
  expect(Object.keys(paths).filter((path) => !('servers' in (paths[path] ?? {})))).toEqual([
    '/',
    '/openapi.json',
    '/devices',
    '/device',
    '/device/release',
    '/device/properties',
  ]);
  expect(JSON.stringify(body)).toContain('"phone_number"');
});

function start(config: object = {}): Promise<TestProxy> {
  return startProxy({ cloudUrl: cloud.url, apiKey: 'fake-api-key', ...config });
}

async function get(proxy: TestProxy, path: string) {
  return answerOf(await fetch(`${proxy.url}${path}`));
}

async function post(proxy: TestProxy, path: string, body?: object) {
  return answerOf(
    await fetch(`${proxy.url}${path}`, {
      method: 'POST',
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    }),
  );
}

async function answerOf(response: Response): Promise<{ status: number; body: unknown }> {
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: text };
  }
}
