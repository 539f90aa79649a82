import { request as httpRequest } from 'node:http';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { authenticate } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';
import { startTcpServer } from '../testing/start-tcp-server.ts';

const retry = { deadlineMs: 5_000, anyMethod: false, firstPauseMs: 1 };

/** Answers with the statuses in turn, the last one for ever, and remembers what it was asked. */
async function startFaulty(statuses: number[], headers: Record<string, string> = {}) {
  const seen: { at: number; mac: string; body: string; clientId: string }[] = [];
  const server = await startServer(async (request, response) => {
    const { clientId } = await authenticate(request);
    const at = performance.now();
    const body = (await request.toArray()).join('');
    const mac = /mac="([^"]+)"/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    seen.push({ at, mac, body, clientId });
    const status = statuses[Math.min(seen.length, statuses.length) - 1] ?? 200;
    response.writeHead(status, status === 200 ? {} : headers).end(`answer ${seen.length}`);
  });
  return { ...server, seen };
}

test.each([500, 502, 503, 504, 429])('a GET answered with %d is sent again, signed anew', async (status) => {
  await using upstream = await startFaulty([status, status, 200]);
  await using proxy = await startProxy(upstream.url, { retry });

  const answer = await send(proxy.port, '/q/v1/x');

  expect([answer.status, answer.text]).toEqual([200, 'answer 3']);
  expect(new Set(upstream.seen.map(({ mac }) => mac)).size).toBe(3);
});

test.each(['HEAD', 'OPTIONS', 'PUT', 'DELETE'])('so is a %s', async (method) => {
  await using upstream = await startFaulty([503, 200]);
  await using proxy = await startProxy(upstream.url, { retry });

  expect((await send(proxy.port, '/q/v1/x', { method })).status).toBe(200);
});

test.each(['POST', 'PATCH'])('a %s is sent once', async (method) => {
  await using upstream = await startFaulty([503, 200]);
  await using proxy = await startProxy(upstream.url, { retry });

  const { status, text } = await send(proxy.port, '/q/v1/x', { method });

  expect([status, text]).toEqual([503, 'answer 1']);
});

test('a POST is sent again when that is asked for', async () => {
  await using upstream = await startFaulty([503, 200]);
  await using proxy = await startProxy(upstream.url, { retry: { ...retry, anyMethod: true } });

  const { status } = await send(proxy.port, '/q/v1/x', { method: 'POST', body: 'hello' });

  expect(status).toBe(200);
  expect(upstream.seen.map(({ body }) => body)).toEqual(['hello', 'hello']);
});

test.each([400, 401, 403, 404, 409])('an answer with %d is final', async (status) => {
  await using upstream = await startFaulty([status, 200]);
  await using proxy = await startProxy(upstream.url, { retry });

  expect((await send(proxy.port, '/q/v1/x')).status).toBe(status);
});

test('a body of 256 KiB is sent again as a whole', async () => {
  await using upstream = await startFaulty([503, 200]);
  await using proxy = await startProxy(upstream.url, { retry });
  const body = 'x'.repeat(256 * 1024);

  const { status } = await send(proxy.port, '/q/v1/x', { method: 'PUT', body });

  expect(status).toBe(200);
  expect(upstream.seen.map((seen) => seen.body.length)).toEqual([body.length, body.length]);
});

test.each([
  ['larger', { 'content-length': 256 * 1024 + 1 }],
  ['chunked', { 'transfer-encoding': 'chunked' }],
])('a request with a %s body is sent once', async (_, headers) => {
  await using upstream = await startFaulty([503, 200]);
  await using proxy = await startProxy(upstream.url, { retry });

  const body = 'x'.repeat(256 * 1024 + 1);
  const { status } = await send(proxy.port, '/q/v1/x', { method: 'PUT', headers, body });

  expect([status, upstream.seen.length]).toEqual([503, 1]);
});

test('Retry-After is waited for', async () => {
  await using upstream = await startFaulty([429, 200], { 'retry-after': '1' });
  await using proxy = await startProxy(upstream.url, { retry });

  const { status } = await send(proxy.port, '/q/v1/x');

  const [first, second] = upstream.seen;
  expect(status).toBe(200);
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(990);
});

test('a Retry-After beyond the deadline hands the answer to the client at once', async () => {
  await using upstream = await startFaulty([429, 200], { 'retry-after': '6' });
  await using proxy = await startProxy(upstream.url, { retry });

  const { status, headers, text } = await send(proxy.port, '/q/v1/x');

  expect([status, headers['retry-after'], text]).toEqual([429, '6', 'answer 1']);
});

test('at the deadline the client gets the last answer, whole', async () => {
  await using upstream = await startFaulty([503]);
  await using proxy = await startProxy(upstream.url, { retry: { ...retry, deadlineMs: 100 } });

  const { status, text } = await send(proxy.port, '/q/v1/x');

  expect(upstream.seen.length).toBeGreaterThan(2);
  expect([status, text]).toEqual([503, `answer ${upstream.seen.length}`]);
});

test('a refused or reset connection is tried again, until it is a 502', async () => {
  await using upstream = await startTcpServer((socket) => socket.resetAndDestroy());
  await using proxy = await startProxy(upstream.url, { retry: { ...retry, deadlineMs: 500 } });

  const { status, text } = await send(proxy.port, '/q/v1/x');

  expect([status, JSON.parse(text).code]).toEqual([502, 'UpstreamClosed']);
  expect(upstream.connections()).toBeGreaterThan(1);
});

test('a connection that comes back in time is not noticed by the client', async () => {
  let isDown = true;
  await using upstream = await startTcpServer((socket) => {
    if (isDown) socket.destroy();
    else socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    isDown = false;
  });
  await using proxy = await startProxy(upstream.url, { retry });

  expect((await send(proxy.port, '/q/v1/x')).text).toBe('ok');
});

test('once a byte of the answer has been passed on nothing is sent again', async () => {
  await using upstream = await startTcpServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  });
  await using proxy = await startProxy(upstream.url, { retry });

  await expect(send(proxy.port, '/q/v1/x')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(upstream.connections()).toBe(1);
});

test('an upstream that took the request and was silent is not asked again', async () => {
  await using upstream = await startServer(() => {});
  await using proxy = await startProxy(upstream.url, { retry, upstreams: { headersTimeoutMs: 50 } });

  const { status, text } = await send(proxy.port, '/q/v1/x');

  expect([status, JSON.parse(text).code, upstream.requests()]).toEqual([504, 'UpstreamTimeout', 1]);
});

test('an answer that is no HTTP is a 502 at once', async () => {
  await using upstream = await startTcpServer((socket) => {
    socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  });
  await using proxy = await startProxy(upstream.url, { retry });

  expect((await send(proxy.port, '/q/v1/x')).status).toBe(502);
  expect(upstream.connections()).toBe(1);
});

test('a client that leaves between two attempts ends them', async () => {
  const asked = Promise.withResolvers<void>();
  await using upstream = await startServer((_, response) => {
    response.writeHead(503).end();
    asked.resolve();
  });
  await using proxy = await startProxy(upstream.url, { retry: { ...retry, firstPauseMs: 3_000 } });

  const request = httpRequest({ port: proxy.port, host: '127.0.0.1', path: '/q/v1/x', agent: false }).end();
  request.on('error', () => {});
  await asked.promise;
  const closed = new Promise((resolve) => request.once('close', resolve));
  request.socket?.resetAndDestroy();
  await closed;
  await proxy.logHas('"status":499');
  await proxy.drain();

  expect(upstream.requests()).toBe(1);
});

test('credentials that change between two attempts sign the second', async () => {
  const second = { clientId: 'second', accessToken: 'another-long-token' };
  const clients: string[] = [];
  await using upstream = await startServer(async (request, response) => {
    clients.push(/id="([^"]+)"/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    if (clients.length > 1) return void response.end('ok');
    await send(proxy.port, '/credentials', { method: 'PUT', body: JSON.stringify(second) });
    response.writeHead(503).end();
  });
  await using proxy = await startProxy(upstream.url, { retry, credentialsEndpoint: true });

  await send(proxy.port, '/q/v1/x');

  expect(clients).toEqual(['tester', 'second']);
});

test.each([
  ['nobody may wait', { requests: 0, ms: 60_000 }],
  ['the wait is too long', { requests: 10, ms: 50 }],
])('when all connections are taken and %s: 503, and when to come back', async (_, waiting) => {
  const mayEnd = Promise.withResolvers<void>();
  await using upstream = await startServer(async (_, response) => {
    await mayEnd.promise;
    response.end('done');
  });
  await using proxy = await startProxy(upstream.url, { retry, upstreams: { connections: 1, waiting } });
  const first = send(proxy.port, '/q/v1/first');
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));

  const { status, headers, text } = await send(proxy.port, '/q/v1/second');
  mayEnd.resolve();

  expect([status, headers['retry-after'], JSON.parse(text).code]).toEqual([503, '5', 'UpstreamBusy']);
  expect((await first).text).toBe('done');
  expect(upstream.requests()).toBe(1);
});
