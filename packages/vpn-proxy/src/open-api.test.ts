import { undocumented } from '@docker-worker/service-kit/testing/as-documented';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { openApiDocument } from './open-api.ts';
import { startProxy } from './testing/start-proxy.ts';

test('what a client sees before the server was reached is as the document says', async () => {
  await using upstream = await startServer((_, response) => response.writeHead(500).end());
  await using proxy = await startProxy({ upstream: upstream.url, waitSeconds: 0 });

  const answer = await send(proxy.port, '/any/path', { method: 'DELETE' });

  expect(answer.status).toBe(503);
  expect(undocumented(openApiDocument('1'), 'DELETE /{path}', answer)).toEqual([]);
});
