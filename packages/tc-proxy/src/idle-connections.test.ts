import { once } from 'node:events';
import { connect } from 'node:net';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { expect, test } from '@jest/globals';
import { startProxy } from './testing/start-proxy.ts';

const idleTimeoutMs = 100;

test.each([
  ['that never had a request', ''],
  ['that had one', 'GET /q/v1/x HTTP/1.1\r\nHost: taskcluster\r\n\r\n'],
])('a connection %s is closed after a while', async (_, request) => {
  await using upstream = await startServer((_, response) => response.end('done'));
  await using proxy = await startProxy(upstream.url, { idleTimeoutMs });
  const client = connect(proxy.port, '127.0.0.1');
  const opened = performance.now();
  client.write(request);

  const text = (await client.toArray()).join('');

  expect(text.endsWith('done') || request === '').toBe(true);
  expect(performance.now() - opened).toBeGreaterThan(idleTimeoutMs * 0.9);
});

test('one with a request in flight is not, however long the answer takes', async () => {
  const mayEnd = Promise.withResolvers<void>();
  await using upstream = await startServer(async (_, response) => {
    await mayEnd.promise;
    response.end('done');
  });
  await using proxy = await startProxy(upstream.url, { idleTimeoutMs });
  const idle = connect(proxy.port, '127.0.0.1').resume();
  const client = connect(proxy.port, '127.0.0.1');
  client.write('GET /q/v1/x HTTP/1.1\r\nHost: taskcluster\r\n\r\n');
  // Opened at the same time, so all that is idle has been closed by then, twice over.
  await once(idle, 'close');
  const later = connect(proxy.port, '127.0.0.1').resume();
  await once(later, 'close');
  mayEnd.resolve();

  expect((await client.toArray()).join('')).toMatch(/^HTTP\/1\.1 200 [\s\S]*done/);
});
