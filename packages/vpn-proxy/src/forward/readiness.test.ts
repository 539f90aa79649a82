import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { startProxy } from '../testing/start-proxy.ts';

test('until the probe passes every request gets 503 with the state, and none reaches the upstream', async () => {
  let status = 500;
  const paths: string[] = [];
  await using upstream = await startServer((request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(status).end();
  });
  await using proxy = await startProxy({
    upstream: upstream.url,
    probe: { path: '/healthz' },
    waitSeconds: 0,
  });

  const refused = await send(proxy.port, '/x', { method: 'PUT', body: 'a body' });
  const wasOpen = proxy.isOpen();
  status = 401;
  while (!proxy.isOpen()) await new Promise((resolve) => setTimeout(resolve, 20));
  const passed = await send(proxy.port, '/y');

  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('2');
  expect(JSON.parse(refused.text)).toMatchObject({
    code: 'TunnelNotReady',
    state: { tunnel: 'CONNECTED', since: expect.any(String) },
  });
  expect(wasOpen).toBe(false);
  expect(passed.status).toBe(401);
  expect(new Set(paths)).toEqual(new Set(['/healthz', '/y']));
});

test.each([
  [['401'], 401, true],
  [['401'], 200, false],
  [['200-299', '401'], 204, true],
  [undefined, 404, true],
  [undefined, 302, true],
  [undefined, 503, false],
])('expecting %j, an answer of %d opens: %p', async (expected, status, opens) => {
  await using upstream = await startServer((_, response) => response.writeHead(status).end());
  const starting = startProxy({
    upstream: upstream.url,
    probe: expected ? { expect: expected } : {},
    waitSeconds: 0.5,
  });

  if (opens) {
    await using proxy = await starting;
    expect(proxy.isOpen()).toBe(true);
  } else {
    await expect(starting).rejects.toThrow(`answered ${status}, expected is `);
  }
});

test('an upstream that never answers the probe is named', async () => {
  await using upstream = await startServer(() => {});

  await expect(
    startProxy({ upstream: upstream.url, probe: { timeout: 0.2 }, waitSeconds: 0.6 }),
  ).rejects.toThrow(
    `the tunnel is up, but the server is not reached: 127.0.0.1:${upstream.port} did not answer within 0.2 s, after 0.6 s`,
  );
});
