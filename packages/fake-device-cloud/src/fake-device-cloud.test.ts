import { expect, test } from '@jest/globals';
import { type FakeDeviceCloud, startFakeDeviceCloud } from './fake-device-cloud.ts';

const basic = { authorization: `Basic ${Buffer.from('fake-api-key:').toString('base64')}` };

async function ask(
  { url }: FakeDeviceCloud,
  path: string,
  { form, method = form ? 'POST' : 'GET', headers = basic }: Ask = {},
) {
  const body = form && new URLSearchParams(form);
  const answer = await fetch(`${url}${path}`, { method, headers, body });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

interface Ask {
  method?: string;
  form?: Record<string, string> | [string, string][];
  headers?: Record<string, string>;
}

function control({ url }: FakeDeviceCloud, path: string, body: object, method = 'POST') {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}control/${path}`, { method, headers, body: JSON.stringify(body) });
}

test('without the key nothing is answered', async () => {
  await using cloud = await startFakeDeviceCloud();

  expect((await ask(cloud, 'api/v2/devices', { headers: {} })).status).toBe(401);
  expect((await ask(cloud, 'api/v2/devices')).status).toBe(200);
});

test('a token is issued for name and password, and replaced by its refresh token once', async () => {
  await using cloud = await startFakeDeviceCloud();
  const client = { client_id: 'testdroid-cloud-api' };
  const login = { ...client, username: 'joe@example.com', password: 'fake-password' };
  const first = await ask(cloud, 'oauth/token', { form: { ...login, grant_type: 'password' } });
  const refresh = { ...client, grant_type: 'refresh_token', refresh_token: first.body.refresh_token };
  const second = await ask(cloud, 'oauth/token', { form: refresh });
  const third = await ask(cloud, 'oauth/token', { form: refresh });
  const headers = { authorization: `Bearer ${second.body.access_token}` };

  expect([first.status, second.status, third.status]).toEqual([200, 200, 400]);
  expect(first.body.expires_in).toBe(3600);
  expect((await ask(cloud, 'api/v2/devices', { headers })).status).toBe(200);
  cloud.state.accounts.expire();
  expect((await ask(cloud, 'api/v2/devices', { headers })).status).toBe(401);
});

test('devices are found by all of the labels that a request names', async () => {
  await using cloud = await startFakeDeviceCloud();
  const groups = await ask(cloud, 'api/v2/label-groups?search=sims');
  const labels = await ask(cloud, `api/v2/label-groups/${groups.body.data[0].id}/labels?search=1`);
  const codenames = await ask(cloud, 'api/v2/label-groups?search=Codename');
  const flames = await ask(cloud, `api/v2/label-groups/${codenames.body.data[0].id}/labels?search=flame`);
  const ids = encodeURIComponent(`${flames.body.data[0].id},${labels.body.data[0].id}`);

  const found = await ask(cloud, `api/v2/devices?limit=0&label_id%5B%5D=${ids}`);

  expect(found.body.data).toMatchObject([{ displayName: 'flame with a card', online: true, locked: false }]);
});

test('a session locks its device, is refused to others, and gives the device back', async () => {
  await using cloud = await startFakeDeviceCloud();
  const [device] = cloud.state.devices.all;
  const form = { deviceModelId: String(device?.id), timeout: '60' };
  const first = await ask(cloud, 'api/v2/me/device-sessions', { form });
  const second = await ask(cloud, 'api/v2/me/device-sessions', { form });

  expect([first.status, second.status, device?.locked]).toEqual([201, 400, true]);
  const release = `api/v2/me/device-sessions/${first.body.id}/release`;
  expect((await ask(cloud, release, { method: 'POST' })).body.state).toBe('SUCCEEDED');
  expect((await ask(cloud, release, { method: 'POST' })).status).toBe(200);
  expect(device?.locked).toBe(false);
});

test('a session ends with its time', async () => {
  await using cloud = await startFakeDeviceCloud();
  const form = { deviceModelId: String(cloud.state.devices.all[0]?.id), timeout: '0.05' };
  await ask(cloud, 'api/v2/me/device-sessions', { form });

  await cloud.state.until(() => cloud.state.sessions.open.length === 0);

  expect(cloud.state.sessions.all[0]?.state).toBe('TIMEOUT');
});

test.each([
  ['the plugin', 'proxy-plugin/proxies?where=%7B%22type%22%3A%22adb%22%2C%22sessionId%22%3A1001%7D'],
  ['connections', 'me/device-sessions/1001/connections'],
])('a session is reached by %s', async (_, path) => {
  await using cloud = await startFakeDeviceCloud();
  await ask(cloud, 'api/v2/me/device-sessions', {
    form: { deviceModelId: String(cloud.state.devices.all[0]?.id) },
  });

  const { body } = await ask(cloud, `api/v2/${path}`);

  expect((body.data ?? body)[0].type.toLowerCase()).toBe('adb');
});

test('a run flashes its device, which is then found by its new build', async () => {
  await using cloud = await startFakeDeviceCloud();
  const device = cloud.state.devices.all[2];
  const [project] = (await ask(cloud, 'api/v2/me/projects?search=flash-fxos-new-url')).body.data;
  const run = (await ask(cloud, 'api/v2/runs', { form: { projectId: String(project.id) } })).body;
  const parameters = `api/v2/me/projects/${project.id}/runs/${run.id}/config/parameters`;
  const [old] = (await ask(cloud, `api/v2/runs/${run.id}/config/parameters`)).body.data;
  expect((await ask(cloud, `${parameters}/${old.id}`, { method: 'DELETE' })).status).toBe(204);
  await ask(cloud, parameters, { form: { key: 'BUILD_LABEL', value: '319_new' } });

  await ask(cloud, `api/v2/runs/${run.id}/start`, { form: [['usedDeviceIds[]', String(device?.id)]] });

  expect(device?.locked).toBe(true);
  await cloud.state.until(() => device?.online === true && !device.locked);
  const { body } = await ask(cloud, `api/v2/devices/${device?.id}/properties?limit=0`);
  expect(body.data).toContainEqual(
    expect.objectContaining({ propertyGroupName: 'Build Identifier', displayName: '319_new' }),
  );
  expect((await ask(cloud, `api/v2/runs/${run.id}/device-runs`)).body.data[0].runStatus).toBe('SUCCEEDED');
});

test('failures and latencies are made by the control routes', async () => {
  await using cloud = await startFakeDeviceCloud();
  await control(cloud, 'faults', { path: '/devices', status: 503, times: 1 });
  await control(cloud, 'faults', { path: '/devices', hangUp: true, times: 1 });

  expect((await ask(cloud, 'api/v2/devices')).status).toBe(503);
  await expect(ask(cloud, 'api/v2/devices')).rejects.toThrow();
  expect((await ask(cloud, 'api/v2/devices')).status).toBe(200);
});

test('an answer can get lost after its request was carried out', async () => {
  await using cloud = await startFakeDeviceCloud();
  await control(cloud, 'faults', { method: 'POST', path: '/device-sessions', loseAnswer: true, times: 1 });
  const form = { deviceModelId: String(cloud.state.devices.all[0]?.id) };

  await expect(ask(cloud, 'api/v2/me/device-sessions', { form })).rejects.toThrow();

  expect(cloud.state.sessions.open).toHaveLength(1);
});

test('a run that is told to fail fails', async () => {
  await using cloud = await startFakeDeviceCloud();
  await control(cloud, 'behaviour', { outcome: 'FAILED', flashMs: 1 }, 'PATCH');
  const run = cloud.state.runs.create(cloud.state.runs.projects[0]?.id ?? 0);
  cloud.state.runs.start(run, [cloud.state.devices.all[0]?.id ?? 0]);

  await cloud.state.until(() => run.state === 'FINISHED');

  expect(run.deviceRuns[0]?.runStatus).toBe('FAILED');
});
