import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send, valuesOf } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { answerJson, startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';
import { startTcpServer } from '../testing/start-tcp-server.ts';

/*
 * What the original taskcluster-proxy (v106) was measured to do, in each test's name, and what we do instead
 * or as well.
 */

function startMirror() {
  return startHawkUpstream(({ url }, response) => answerJson(response, 200, { url }));
}

async function statusOf(path: string): Promise<number> {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);
  return (await send(proxy.port, path)).status;
}

test('GET /api/queue/v1/x?q: 200 and its headers; the same', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { status, headers, text } = await send(proxy.port, '/api/queue/v1/x?q');

  expect([status, JSON.parse(text).url]).toEqual([200, '/api/queue/v1/x?q']);
  expect(headers).toMatchObject({
    'x-taskcluster-endpoint': `${upstream.url}/api/queue/v1/x?q`,
    'x-taskcluster-proxy-version': '9.8.7',
    'x-taskcluster-proxy-revision': 'abcdef',
    'x-taskcluster-proxy-perm-clientid': 'tester',
  });
});

test.each(['/api', '/api/q', '/api/q/v1', '/apifoo'])('%s: 404; the same', async (path) => {
  expect(await statusOf(path)).toBe(404);
});

test.each(['/', '/x@/'])('%s: 404, in these words; the same', async (path) => {
  await using proxy = await startProxy('https://tc.example.com');

  const { status, text } = await send(proxy.port, path);

  expect(status).toBe(404);
  expect(text).toMatch(/^Unkown taskcluster service: /);
});

test.each(['/queue', '/queue/v1'])('%s: connection dropped; 404', async (path) => {
  expect(await statusOf(path)).toBe(404);
});

test.each(['/api/q/v1/%zz', '/q/v1/%'])('%s, a bad escape: 400; the same', async (path) => {
  expect(await statusOf(path)).toBe(400);
});

test('absolute form: misrouted; routed by its path', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { text } = await send(proxy.port, 'http://taskcluster/api/queue/v1/x');

  expect(JSON.parse(text).url).toBe('/api/queue/v1/x');
});

test('5xx and then 200: repeated, whatever the request; repeated if that is safe', async () => {
  let count = 0;
  await using upstream = await startServer((_, response) => {
    count += 1;
    response.writeHead(count % 2 === 1 ? 503 : 200).end();
  });
  const retry = { deadlineMs: 5_000, anyMethod: false, firstPauseMs: 1 };
  await using proxy = await startProxy(upstream.url, { retry });

  expect((await send(proxy.port, '/q/v1/x')).status).toBe(200);
  expect((await send(proxy.port, '/q/v1/x', { method: 'POST' })).status).toBe(503);
});

test('a silent upstream: waited for for ever; 504 after the time-out', async () => {
  await using upstream = await startServer(() => {});
  await using proxy = await startProxy(upstream.url, { upstreams: { headersTimeoutMs: 50 } });

  expect((await send(proxy.port, '/q/v1/x')).status).toBe(504);
});

test('a truncated body: 500; a cut connection once the answer has begun, else 502', async () => {
  await using upstream = await startTcpServer((socket) => {
    socket.once('data', (chunk) => {
      const isBegun = String(chunk).includes('begun');
      socket.end(isBegun ? 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf' : 'HTTP/1.1 200');
    });
  });
  await using proxy = await startProxy(upstream.url);

  await expect(send(proxy.port, '/q/v1/begun')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect((await send(proxy.port, '/q/v1/x')).status).toBe(502);
});

test('101: hangs, and holds up new credentials; a tunnel', async () => {
  await using upstream = await startTcpServer((socket) => {
    socket.once('data', () =>
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello',
      ),
    );
  });
  await using proxy = await startProxy(upstream.url);
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };

  const request = httpRequest({ port: proxy.port, host: '127.0.0.1', path: '/q/v1/x', headers }).end();
  const [response, socket, head] = (await once(request, 'upgrade')) as [IncomingMessage, never, Buffer];
  const text = head.length > 0 ? head : (await once(socket, 'data'))[0];

  expect([response.statusCode, String(text)]).toEqual([101, 'hello']);
});

test('PUT /credentials while a request hangs: waits for it, and so do all others; answered at once', async () => {
  const arrived = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  await using upstream = await startServer(async ({ url }, response) => {
    if (!url?.endsWith('slow')) return void response.end('quick');
    arrived.resolve();
    await mayEnd.promise;
    response.end('slow');
  });
  await using proxy = await startProxy(upstream.url, { credentialsEndpoint: true });
  const slow = send(proxy.port, '/q/v1/slow');
  await arrived.promise;

  const body = JSON.stringify({ clientId: 'second', accessToken: 'another-long-token' });
  const put = await send(proxy.port, '/credentials', { method: 'PUT', body });
  const quick = await send(proxy.port, '/q/v1/quick');
  mayEnd.resolve();

  expect([put.status, quick.text, (await slow).text]).toEqual([200, 'quick', 'slow']);
  expect(quick.headers['x-taskcluster-proxy-perm-clientid']).toBe('second');
});

test('a bewit for an unsorted query: not valid; valid', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const body = `${upstream.url}/x?b=1&a=%2f&r=%20`;
  const { headers } = await send(proxy.port, '/bewit', { method: 'POST', body });
  const followed = await send(upstream.port, String(headers.location).slice(upstream.url.length));

  expect(followed.status).toBe(200);
});

test('two Set-Cookie: one is kept; both are', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end();
  });
  await using proxy = await startProxy(upstream.url);

  expect(valuesOf((await send(proxy.port, '/q/v1/x')).rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
});

test('400 scopes: more headers than Node’s client takes; fewer', async () => {
  const authorizedScopes = Array.from({ length: 400 }, (_, index) => `queue:some:long:scope:name:${index}`);
  await using proxy = await startProxy('https://tc.example.com', { authorizedScopes });

  const { status, rawHeaders } = await send(proxy.port, '/nowhere');

  expect(status).toBe(404);
  expect(rawHeaders.join('').length).toBeLessThan(8 * 1024);
});

test('listening on ::1: exit 1; listens', async () => {
  await using proxy = await startProxy('https://tc.example.com', { address: '::1' });

  const client = connect(proxy.port, '::1');
  client.write('GET /nowhere HTTP/1.1\r\nHost: taskcluster\r\nConnection: close\r\n\r\n');

  expect((await client.toArray()).join('')).toMatch(/^HTTP\/1\.1 404 /);
});
