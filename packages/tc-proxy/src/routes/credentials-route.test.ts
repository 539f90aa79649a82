import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { answerJson, permanent, startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';
import { temporaryCredentials } from '../testing/temporary-credentials.ts';

const second = { clientId: 'second', accessToken: 'another-long-token' };

function startWhoAmI() {
  return startHawkUpstream((_, response, caller) => answerJson(response, 200, caller), {
    clients: [permanent, second],
  });
}

test('PUT replaces client id, token and certificate; the restriction stays', async () => {
  await using upstream = await startWhoAmI();
  await using proxy = await startProxy(upstream.url, {
    credentialsEndpoint: true,
    authorizedScopes: ['a:b'],
  });
  const temporary = temporaryCredentials(['a:*'], 'tester/named');

  // As the original's worker sends it.
  const headers = { 'content-type': 'text/json' };
  const put = await send(proxy.port, '/credentials', {
    method: 'PUT',
    headers,
    body: JSON.stringify(temporary),
  });
  const after = await send(proxy.port, '/q/v1/x');

  expect([put.status, put.text]).toEqual([200, '']);
  expect(JSON.parse(after.text)).toEqual({ clientId: 'tester/named', scopes: ['a:b'] });
  expect(after.headers['x-taskcluster-proxy-temp-clientid']).toBe('tester/named');
});

test.each([[null], [''], [undefined]])('certificate %j means none', async (certificate) => {
  await using upstream = await startWhoAmI();
  const credentials = temporaryCredentials(['*']);
  await using proxy = await startProxy(upstream.url, { credentialsEndpoint: true, credentials });

  const body = JSON.stringify({ ...second, certificate });
  expect((await send(proxy.port, '/credentials', { method: 'PUT', body })).status).toBe(200);

  expect(JSON.parse((await send(proxy.port, '/q/v1/x')).text).clientId).toBe('second');
});

test.each([
  ['nothing', ''],
  ['broken JSON', '{"clientId":'],
  ['an array', '[]'],
  ['an empty object', '{}'],
  ['no token', '{"clientId":"x"}'],
  ['an empty token', '{"clientId":"x","accessToken":""}'],
  [
    'a certificate that is an object',
    '{"clientId":"x","accessToken":"canary-token","certificate":{"scopes":[]}}',
  ],
  ['a certificate that is no JSON', '{"clientId":"x","accessToken":"canary-token","certificate":"{"}'],
  ['a certificate without scopes', '{"clientId":"x","accessToken":"canary-token","certificate":"{}"}'],
  ['a client id that breaks out of the header', '{"clientId":"x\\", mac=\\"y","accessToken":"canary-token"}'],
])('PUT of %s is a 400 and changes nothing', async (_, body) => {
  await using upstream = await startWhoAmI();
  await using proxy = await startProxy(upstream.url, { credentialsEndpoint: true });

  const put = await send(proxy.port, '/credentials', { method: 'PUT', body });

  expect([put.status, JSON.parse(put.text).code]).toEqual([400, 'InputError']);
  expect(put.text).not.toContain('canary');
  expect(JSON.parse((await send(proxy.port, '/q/v1/x')).text).clientId).toBe('tester');
});

test('other methods are a 405', async () => {
  await using upstream = await startWhoAmI();
  await using proxy = await startProxy(upstream.url, { credentialsEndpoint: true });

  const { status, headers } = await send(proxy.port, '/credentials', { method: 'POST', body: '{}' });

  expect([status, headers.allow]).toEqual([405, 'PUT']);
});

test('without the endpoint the path is any path that leads nowhere', async () => {
  await using upstream = await startWhoAmI();
  await using proxy = await startProxy(upstream.url);

  const body = JSON.stringify(second);
  expect((await send(proxy.port, '/credentials', { method: 'PUT', body })).status).toBe(404);

  expect(JSON.parse((await send(proxy.port, '/q/v1/x')).text).clientId).toBe('tester');
});

test('PUT is answered at once while 64 requests hang, and they finish', async () => {
  const mayAnswer = Promise.withResolvers<void>();
  const allArrived = Promise.withResolvers<void>();
  let arrived = 0;
  await using upstream = await startServer(async (_, response) => {
    arrived += 1;
    if (arrived === 64) allArrived.resolve();
    await mayAnswer.promise;
    response.end('late');
  });
  await using proxy = await startProxy(upstream.url, { credentialsEndpoint: true });
  const hanging = Array.from({ length: 64 }, () => send(proxy.port, '/q/v1/slow'));
  await allArrived.promise;

  const put = await send(proxy.port, '/credentials', { method: 'PUT', body: JSON.stringify(second) });
  mayAnswer.resolve();

  expect(put.status).toBe(200);
  const answers = await Promise.all(hanging);
  expect(answers.every(({ status, text }) => status === 200 && text === 'late')).toBe(true);
});
