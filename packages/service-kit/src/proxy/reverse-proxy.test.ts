import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { errorBody } from '../server/error-body.ts';
import { listen } from '../server/listen.ts';
import { RequestMetrics } from '../telemetry/request-metrics.ts';
import { startServer } from '../testing/http-server.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { send, valuesOf } from '../testing/send.ts';
import { testContext } from '../testing/service-context.ts';
import { settled } from '../testing/settled.ts';
import { zeros } from '../testing/zeros.ts';
import { endToEndHeaders } from './header-hygiene.ts';
import { rawPath } from './raw-path.ts';
import { createReverseProxy, type ReverseProxyOptions } from './reverse-proxy.ts';
import { createUpstreamDispatcher, type UpstreamDispatcherOptions } from './upstream-dispatcher.ts';
import { RefusedRequest } from './upstream-request.ts';

interface TestProxy extends AsyncDisposable {
  port: number;
  close(): Promise<void>;
  /** Resolves when the log contains the text. */
  logHas(text: string): Promise<void>;
}

async function startProxy(
  upstream: string,
  options: Partial<ReverseProxyOptions> = {},
  connections: UpstreamDispatcherOptions = {},
): Promise<TestProxy> {
  const dispatcher = createUpstreamDispatcher(connections);
  const { origin, pathname } = new URL(upstream);
  const { logger, logHas } = testContext('test');
  const app = createReverseProxy({
    dispatcher: () => dispatcher,
    upstreamRequest: ({ rawHeaders }, url) => ({
      ...{ route: 'test', origin, path: `${pathname.replace(/\/$/, '')}${rawPath(url)}` },
      headers: endToEndHeaders(rawHeaders, new Set(['host'])),
    }),
    metrics: new RequestMetrics(new Registry()),
    logger,
    ...options,
  });
  const port = await listen(app, 0, '127.0.0.1');
  return {
    port,
    close: async () => void (await app.close()),
    logHas,
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
      await dispatcher.destroy();
    },
  };
}

/** Answers with the raw headers and the URL it saw. */
function mirror(request: IncomingMessage, response: import('node:http').ServerResponse): void {
  request.resume().on('end', () => {
    response.end(JSON.stringify({ url: request.url, rawHeaders: request.rawHeaders }));
  });
}

test('path and query reach the upstream as they are, below its base path', async () => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(`${upstream.url}/base`);

  const { text } = await send(proxy.port, '/a%2Fb/c?x=1&x=&y=%7B');

  expect(JSON.parse(text).url).toBe('/base/a%2Fb/c?x=1&x=&y=%7B');
});

test('a request that is refused gets that answer, and nothing goes to the upstream', async () => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(upstream.url, {
    upstreamRequest: async () => {
      const body = errorBody('NoSuchRoute', 'there is nothing', 'GET');
      throw new RefusedRequest(404, body, { headers: { 'Retry-After': '7' } });
    },
  });

  const { status, headers, text } = await send(proxy.port, '/');

  expect([status, headers['retry-after'], JSON.parse(text).message]).toEqual([404, '7', 'there is nothing']);
  expect(upstream.requests()).toBe(0);
});

test('a bug of the service is a 500 without a word of it, and nothing goes to the upstream', async () => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(upstream.url, {
    upstreamRequest: () => Promise.reject(new Error('no token')),
  });

  const { status, text } = await send(proxy.port, '/');

  expect([status, JSON.parse(text).message]).toEqual([500, 'internal error']);
  expect(upstream.requests()).toBe(0);
});

test('of an answer that is not for the client it sees nothing, but that of the request in its place', async () => {
  await using upstream = await startServer(({ url }, response) => {
    if (url === '/first') response.writeHead(401, { 'X-First': '1' }).end('not you');
    else response.writeHead(200).end(url);
  });
  const { origin } = new URL(upstream.url);
  const second = { route: 'test', origin, path: '/second', headers: [] };
  await using proxy = await startProxy(upstream.url, {
    upstreamRequest: () => ({
      ...second,
      path: '/first',
      repeat: (status) => (status === 401 ? Promise.resolve(second) : undefined),
    }),
  });

  const { status, headers, text } = await send(proxy.port, '/');

  expect([status, headers['x-first'], text]).toEqual([200, undefined, '/second']);
});

test('a GET keeps its body', async () => {
  await using upstream = await startServer(async (request, response) => {
    response.end((await request.toArray()).join(''));
  });
  await using proxy = await startProxy(upstream.url);

  const { text } = await send(proxy.port, '/', {
    method: 'GET',
    body: 'asked for',
    headers: { 'content-length': 9 },
  });

  expect(text).toBe('asked for');
});

test('a body of any type, and of none that there is, goes through', async () => {
  await using upstream = await startServer(async (request, response) => {
    response.end((await request.toArray()).join(''));
  });
  await using proxy = await startProxy(upstream.url);

  for (const type of ['application/json', 'no type at all;;', 'text/plain; charset="']) {
    const { status, text } = await send(proxy.port, '/', {
      ...{ method: 'POST', body: '{"not', headers: { 'content-type': type } },
    });
    expect([status, text]).toEqual([200, '{"not']);
  }
});

test.each([
  ['Keep-Alive', 'timeout=5'],
  ['Proxy-Authorization', 'Basic x'],
  ['Proxy-Connection', 'keep-alive'],
  ['TE', 'trailers'],
  ['Trailer', 'X-Later'],
  ['Upgrade', 'h2c'],
  ['Expect', '100-continue'],
  ['Transfer_Encoding', 'chunked'],
  ['Proxy_Authorization', 'Basic x'],
])('the request header %s stays at the proxy', async (name, value) => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(upstream.url);

  const rawHeaders = ['Transfer-Encoding', 'chunked', name, value];
  const { status, text } = await send(proxy.port, '/', { method: 'POST', rawHeaders, body: 'x' });

  expect(status).toBe(200);
  expect(valuesOf(JSON.parse(text).rawHeaders, name)).toEqual([]);
});

test('a request header named in Connection stays at the proxy, look-alikes included', async () => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(upstream.url);

  const rawHeaders = ['Connection', 'close, x-hop', 'X-Hop', '1', 'X_Hop', '2', 'X-End', '3'];
  const { text } = await send(proxy.port, '/', { rawHeaders });

  const seen = JSON.parse(text).rawHeaders;
  expect(valuesOf(seen, 'x-hop')).toEqual([]);
  expect(valuesOf(seen, 'x_hop')).toEqual([]);
  expect(valuesOf(seen, 'x-end')).toEqual(['3']);
});

test('hop-by-hop headers of the answer stay at the proxy, repeated headers come through', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, [
      ...['Connection', 'x-hop', 'X-Hop', '1', 'Proxy-Authenticate', 'Basic', 'Keep-Alive', 'timeout=99'],
      ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Kept', '1'],
    ]);
    response.end('ok');
  });
  await using proxy = await startProxy(upstream.url);

  const { rawHeaders } = await send(proxy.port, '/');

  expect(valuesOf(rawHeaders, 'x-hop')).toEqual([]);
  expect(valuesOf(rawHeaders, 'proxy-authenticate')).toEqual([]);
  expect(valuesOf(rawHeaders, 'keep-alive')).not.toContain('timeout=99');
  expect(valuesOf(rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
  expect(valuesOf(rawHeaders, 'x-kept')).toEqual(['1']);
});

test('a redirect is handed back, not followed', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(303, { location: '/elsewhere' }).end('over there');
  });
  await using proxy = await startProxy(upstream.url);

  const { status, headers, text } = await send(proxy.port, '/');

  expect([status, headers.location, text]).toEqual([303, '/elsewhere', 'over there']);
  expect(upstream.requests()).toBe(1);
});

test('a 503 answer is handed back and not asked for again', async () => {
  await using upstream = await startServer((_, response) => response.writeHead(503).end('busy'));
  await using proxy = await startProxy(upstream.url);

  expect(await send(proxy.port, '/')).toMatchObject({ status: 503, text: 'busy' });
  expect(upstream.requests()).toBe(1);
});

test('an upstream with a self-signed certificate gets no request, even when Node is told not to verify', async () => {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    await using upstream = await startServer(mirror, selfSigned());
    await using proxy = await startProxy(upstream.url);

    const { status, text } = await send(proxy.port, '/');

    expect(status).toBe(502);
    expect(JSON.parse(text)).toMatchObject({
      code: 'UpstreamCertificateRejected',
      requestInfo: { method: 'GET' },
    });
    expect(upstream.requests()).toBe(0);
  } finally {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
});

test('a certificate given as ca is trusted', async () => {
  const identity = selfSigned();
  await using upstream = await startServer(mirror, identity);
  await using proxy = await startProxy(upstream.url, {}, { ca: identity.cert });

  expect((await send(proxy.port, '/')).status).toBe(200);
});

test('a refused connection is a 502, a silent upstream a 504, both in JSON', async () => {
  let refusedUrl = '';
  {
    await using closed = await startServer(mirror);
    refusedUrl = closed.url;
  }
  await using silent = await startServer(() => {});
  await using refused = await startProxy(refusedUrl);
  await using waiting = await startProxy(silent.url, {}, { headersTimeoutMs: 50 });

  const [bad, late] = await Promise.all([send(refused.port, '/'), send(waiting.port, '/')]);

  expect([bad.status, JSON.parse(bad.text).code]).toEqual([502, 'UpstreamRefused']);
  expect([late.status, JSON.parse(late.text).code]).toEqual([504, 'UpstreamTimeout']);
});

test('a client that was sending a body to a refused connection is told so', async () => {
  let refusedUrl = '';
  {
    await using closed = await startServer(mirror);
    refusedUrl = closed.url;
  }
  await using proxy = await startProxy(refusedUrl);

  const body = Buffer.alloc(8 * 1024 * 1024);
  const { status, text } = await send(proxy.port, '/', { method: 'PUT', body });

  expect([status, JSON.parse(text).code]).toEqual([502, 'UpstreamRefused']);
});

test('a client that reads slowly slows the upstream down', async () => {
  const total = 256 * 1024 * 1024;
  let sent = 0;
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, { 'content-length': total });
    zeros(total, (bytes) => {
      sent += bytes;
    }).pipe(response);
  });
  await using proxy = await startProxy(upstream.url);

  const request = httpRequest({ port: proxy.port, host: '127.0.0.1', agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await once(response, 'readable');
  const whileNotRead = await settled(() => sent);
  let received = 0;
  for await (const chunk of response) received += chunk.length;

  // Socket buffers of two connections, and no more.
  expect(whileNotRead).toBeLessThan(32 * 1024 * 1024);
  expect(received).toBe(total);
});

test('an upstream that reads slowly slows the client down', async () => {
  const total = 256 * 1024 * 1024;
  const mayRead = Promise.withResolvers<void>();
  let received = 0;
  await using upstream = await startServer(async (request, response) => {
    await mayRead.promise;
    for await (const chunk of request) received += chunk.length;
    response.end('thanks');
  });
  await using proxy = await startProxy(upstream.url);

  const request = httpRequest({ port: proxy.port, host: '127.0.0.1', method: 'PUT', agent: false });
  request.setHeader('content-length', total);
  let sent = 0;
  zeros(total, (bytes) => {
    sent += bytes;
  }).pipe(request);
  await once(request, 'socket');
  const whileNotRead = await settled(() => sent);
  mayRead.resolve();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();

  expect(whileNotRead).toBeLessThan(32 * 1024 * 1024);
  expect(response.statusCode).toBe(200);
  expect(received).toBe(total);
});

test('a client that leaves aborts the upstream request', async () => {
  const aborted = Promise.withResolvers<void>();
  await using upstream = await startServer((request, response) => {
    response.writeHead(200).write('begun');
    request.socket.once('close', () => aborted.resolve());
  });
  await using proxy = await startProxy(upstream.url);

  const request = httpRequest({ port: proxy.port, host: '127.0.0.1', agent: false }).end();
  await once(request, 'response');
  request.on('error', () => {}).socket?.resetAndDestroy();

  await expect(aborted.promise).resolves.toBeUndefined();
});

test('a bulk answer that comes in small pieces arrives whole and in order', async () => {
  const body = randomBytes(2_000_003);
  await using upstream = await startServer(async (_, response) => {
    for (let at = 0; at < body.length; at += 1_400) {
      if (!response.write(body.subarray(at, at + 1_400))) await once(response, 'drain');
    }
    response.end();
  });
  await using proxy = await startProxy(upstream.url);

  const response = await fetch(`http://127.0.0.1:${proxy.port}/`);

  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
});

test('the last piece of a bulk answer does not wait for the next', async () => {
  const size = 300_000;
  await using upstream = await startServer((_, response) => {
    response.write(Buffer.alloc(size));
    setImmediate(() => response.write('tail'));
  });
  await using proxy = await startProxy(upstream.url);
  const request = httpRequest({ host: '127.0.0.1', port: proxy.port });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];

  let received = 0;
  for await (const chunk of response) {
    received += (chunk as Buffer).length;
    if (received === size + 4) break;
  }

  expect(received).toBe(size + 4);
});

test('an answer that is cut by the upstream is cut for the client too', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 }).write(Buffer.alloc(400_000));
    setTimeout(() => response.destroy(), 50);
  });
  await using proxy = await startProxy(upstream.url);

  await expect(send(proxy.port, '/')).rejects.toThrow();
});

test('a client that leaves ends the request to the upstream, with status 499 when it had no answer', async () => {
  const left = Promise.withResolvers<void>();
  await using upstream = await startServer((request) => {
    request.once('close', () => left.resolve());
  });
  await using proxy = await startProxy(upstream.url);
  const request = httpRequest({ host: '127.0.0.1', port: proxy.port }).on('error', () => {});
  request.end();
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));

  request.socket?.resetAndDestroy();
  await left.promise;

  await proxy.logHas('"status":499');
});

test('a close waits for the answer in flight and not for its kept connection', async () => {
  let finish = () => {};
  await using upstream = await startServer((_, response) => {
    finish = () => response.end('done');
  });
  await using proxy = await startProxy(upstream.url);
  const answer = fetch(`http://127.0.0.1:${proxy.port}/`).then((response) => response.text());
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));

  const closed = proxy.close();
  finish();

  expect(await answer).toBe('done');
  await closed;
});
