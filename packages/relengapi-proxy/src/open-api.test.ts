import { undocumented } from '@docker-worker/service-kit/testing/as-documented';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { openApiDocument } from './open-api.ts';
import { startProxy } from './testing/start-proxy.ts';

const route = { prefix: '/api', upstream: 'http://127.0.0.1:1', auth: { provider: 'none' as const } };

test.each([
  ['/elsewhere/file', 404],
  ['/api/file', 502],
])('%s answers %i as the document says', async (path, status) => {
  await using proxy = await startProxy({ settings: { routes: [route] } });

  const answer = await send(proxy.port, path);

  expect(answer.status).toBe(status);
  expect(undocumented(openApiDocument('1'), 'GET /{prefix}/{path}', answer)).toEqual([]);
});

test('what it tells of issuers is as the document says', async () => {
  const auth = { provider: 'relengapi-tmp-token' as const, issuer: 'http://127.0.0.1:1/tokens' };
  await using proxy = await startProxy({
    scopes: ['docker-worker:relengapi-proxy:tooltool.download.public'],
    issuingToken: 'a-token',
    settings: { routes: [{ ...route, auth }] },
  });

  const text = JSON.stringify({ ready: true, ...(await proxy.health()) });
  const headers = { 'content-type': 'application/json' };

  expect(text).toContain('"reachable":false');
  expect(undocumented(openApiDocument('1'), 'GET /health', { status: 200, headers, text })).toEqual([]);
});
