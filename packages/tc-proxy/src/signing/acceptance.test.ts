import type { TestServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { answerJson, covers, permanent, startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';
import { temporaryCredentials } from '../testing/temporary-credentials.ts';

/** The part of the auth service that the original's tests call. */
function startAuthService(): Promise<TestServer> {
  return startHawkUpstream((request, response, { clientId, scopes }) => {
    request.resume();
    const route = `${request.method} ${request.url?.split('?')[0]}`;
    if (route === 'POST /api/auth/v1/test-authenticate' && !request.headers['content-type']) {
      answerJson(response, 400, { code: 'InputError', message: 'a JSON body is needed' });
    } else if (!route.includes('/test-authenticate')) {
      answerJson(response, 404, { code: 'ResourceNotFound', message: 'no such task' });
    } else if (!covers(scopes, 'auth:test')) {
      answerJson(response, 403, { code: 'InsufficientScopes', message: 'auth:test is missing' });
    } else {
      answerJson(response, 200, { clientId, scopes });
    }
  });
}

const temporary = temporaryCredentials(['auth:test', 'other'], 'tester/named');
const wrongTemporary = temporaryCredentials(['other']);

test.each([
  ['permanent', permanent, undefined, 200],
  ['permanent, restricted to enough', permanent, ['auth:test'], 200],
  ['permanent, restricted to something else', permanent, ['other'], 403],
  ['permanent, restricted to nothing', permanent, [], 403],
  ['temporary', temporary, undefined, 200],
  ['temporary, restricted', temporary, ['auth:test'], 200],
  ['temporary, wrong scope', wrongTemporary, undefined, 403],
  ['temporary, restriction that it does not cover', wrongTemporary, ['auth:test'], 401],
])('%s credentials: both URL forms and a bewit', async (_, credentials, authorizedScopes, status) => {
  await using upstream = await startAuthService();
  await using proxy = await startProxy(upstream.url, { credentials, authorizedScopes });

  const get = await send(proxy.port, '/api/auth/v1/test-authenticate-get');
  const post = await send(proxy.port, '/auth/v1/test-authenticate', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const signed = await send(proxy.port, '/bewit', {
    method: 'POST',
    body: `${upstream.url}/api/auth/v1/test-authenticate-get?a=b`,
  });
  const followed = await send(upstream.port, String(signed.headers.location).slice(upstream.url.length));

  expect([get.status, post.status, signed.status, followed.status]).toEqual([status, status, 303, status]);
  expect(signed.text).toBe(signed.headers.location);
  expect(signed.text).toMatch(/\/test-authenticate-get\?a=b&bewit=/);
});

test('the upstream sees the client id of permanent and of named temporary credentials', async () => {
  await using upstream = await startAuthService();
  await using ours = await startProxy(upstream.url);
  await using named = await startProxy(upstream.url, { credentials: temporary });
  const path = '/api/auth/v1/test-authenticate-get';

  expect(JSON.parse((await send(ours.port, path)).text).clientId).toBe('tester');
  expect(JSON.parse((await send(named.port, path)).text).clientId).toBe('tester/named');
});

test('a POST without Content-Type gets none from the proxy', async () => {
  await using upstream = await startAuthService();
  await using proxy = await startProxy(upstream.url);

  const { status } = await send(proxy.port, '/auth/v1/test-authenticate', { method: 'POST', body: '{}' });

  expect(status).toBe(400);
});

test('the body of an error comes through as it is', async () => {
  await using upstream = await startAuthService();
  await using proxy = await startProxy(upstream.url, { credentials: temporary });

  const { status, text } = await send(proxy.port, '/api/queue/v1/task/KTBKfEgxR5GdfIIREQIvFQ');

  expect([status, text]).toEqual([404, '{"code":"ResourceNotFound","message":"no such task"}']);
});

test('answers for permanent credentials carry their debug headers', async () => {
  await using upstream = await startAuthService();
  await using proxy = await startProxy(upstream.url);

  const { headers } = await send(proxy.port, '/queue/v1/task/x?y=z');

  expect(headers).toMatchObject({
    'x-taskcluster-endpoint': `${upstream.url}/api/queue/v1/task/x?y=z`,
    'x-taskcluster-proxy-version': '9.8.7',
    'x-taskcluster-proxy-revision': 'abcdef',
    'x-taskcluster-proxy-perm-clientid': 'tester',
  });
  expect(headers).not.toHaveProperty('x-taskcluster-proxy-temp-clientid');
  expect(headers).not.toHaveProperty('x-taskcluster-authorized-scopes');
});

test('answers for restricted temporary credentials carry theirs, on errors too', async () => {
  await using upstream = await startAuthService();
  await using proxy = await startProxy(upstream.url, {
    credentials: wrongTemporary,
    authorizedScopes: ['auth:test'],
  });

  const { status, headers } = await send(proxy.port, '/api/auth/v1/test-authenticate-get');

  expect(status).toBe(401);
  expect(headers).toMatchObject({
    'x-taskcluster-endpoint': `${upstream.url}/api/auth/v1/test-authenticate-get`,
    'x-taskcluster-proxy-temp-clientid': wrongTemporary.clientId,
    'x-taskcluster-proxy-temp-scopes': '["other"]',
    'x-taskcluster-authorized-scopes': '["auth:test"]',
  });
  expect(headers).not.toHaveProperty('x-taskcluster-proxy-perm-clientid');
});

test('a path that leads nowhere has the original’s text and no endpoint header', async () => {
  await using upstream = await startAuthService();
  await using proxy = await startProxy(upstream.url);

  const unknown = await send(proxy.port, '/x@/');
  const invalid = await send(proxy.port, '/api/q');

  expect([unknown.status, invalid.status]).toEqual([404, 404]);
  expect(unknown.text).toBe('Unkown taskcluster service: x@ is not a valid taskcluster service');
  expect(invalid.text).toBe('invalid /api path');
  expect(unknown.headers).not.toHaveProperty('x-taskcluster-endpoint');
  expect(unknown.headers['x-taskcluster-proxy-perm-clientid']).toBe('tester');
  expect(upstream.requests()).toBe(0);
});
