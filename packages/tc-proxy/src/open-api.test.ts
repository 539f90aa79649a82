import { undocumented } from '@docker-worker/service-kit/testing/as-documented';
import { type SendOptions, send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { openApiDocument } from './open-api.ts';
import { startProxy } from './testing/start-proxy.ts';

const document = openApiDocument('1');
const service = '/api/{service}/{version}/{path}';
const credentials = { clientId: 'other', accessToken: 'another-token' };

test.each<[route: string, path: string, status: number, options: SendOptions]>([
  ['POST /bewit', '/bewit', 303, { body: 'https://files.example.com/a' }],
  ['POST /bewit', '/bewit', 400, { body: 'no URL' }],
  ['PUT /credentials', '/credentials', 200, { body: JSON.stringify(credentials) }],
  ['PUT /credentials', '/credentials', 400, { body: '{}' }],
  [`GET ${service}`, '/api/queue/v1/%zz', 400, {}],
  [`GET ${service}`, '/api/queue', 404, {}],
  [`DELETE ${service}`, '/api/queue/v1/task', 502, {}],
  ['GET /{host}/{path}', '/169.254.169.254/latest', 403, {}],
])('%s as %s answers %i as the document says', async (route, path, status, options) => {
  await using proxy = await startProxy('http://127.0.0.1:1', { credentialsEndpoint: true });

  const answer = await send(proxy.port, path, { method: route.split(' ')[0] ?? '', ...options });

  expect(answer.status).toBe(status);
  expect(undocumented(document, route, answer)).toEqual([]);
});
