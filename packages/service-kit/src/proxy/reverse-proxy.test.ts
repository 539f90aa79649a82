import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { listen } from '../server/listen.ts';
import { startServer } from '../testing/http-server.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { send, valuesOf } from '../testing/send.ts';
import { type ReverseProxyOptions, reverseProxy } from './reverse-proxy.ts';
import { createUpstreamDispatcher, type UpstreamDispatcherOptions } from './upstream-dispatcher.ts';

interface TestProxy extends AsyncDisposable {
  port: number;
}

async function startProxy(
  upstream: string,
  options: Partial<ReverseProxyOptions> = {},
  connections: UpstreamDispatcherOptions = {},
): Promise<TestProxy> {
  const dispatcher = createUpstreamDispatcher(connections);
  const app = Fastify({ logger: false });
  await app.register(reverseProxy, { upstream, dispatcher, ...options });
  const port = await listen(app, 0, '127.0.0.1');
  return {
    port,
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

test('the client’s Authorization is replaced by what authorize gives', async () => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(upstream.url, {
    authorize: (request) => ({ authorization: `Bearer for ${request.method}`, 'x-api-key': 'ours' }),
  });

  const { text } = await send(proxy.port, '/', {
    rawHeaders: ['Authorization', 'Basic mine', 'X_Api_Key', 'theirs', 'X-Api-Key', 'theirs', 'X-Kept', '1'],
  });

  const { rawHeaders } = JSON.parse(text);
  expect(valuesOf(rawHeaders, 'authorization')).toEqual(['Bearer for GET']);
  expect(valuesOf(rawHeaders, 'x-api-key')).toEqual(['ours']);
  expect(valuesOf(rawHeaders, 'x_api_key')).toEqual([]);
  expect(valuesOf(rawHeaders, 'x-kept')).toEqual(['1']);
});

test('without authorize the client’s Authorization goes nowhere', async () => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(upstream.url);

  const { text } = await send(proxy.port, '/', { rawHeaders: ['Authorization', 'Basic mine'] });

  expect(valuesOf(JSON.parse(text).rawHeaders, 'authorization')).toEqual([]);
});

test('a failing authorize sends nothing to the upstream', async () => {
  await using upstream = await startServer(mirror);
  await using proxy = await startProxy(upstream.url, {
    authorize: () => Promise.reject(new Error('no token')),
  });

  expect((await send(proxy.port, '/')).status).toBe(500);
  expect(upstream.requests()).toBe(0);
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
    const chunk = Buffer.alloc(64 * 1024);
    response.writeHead(200, { 'content-length': total });
    const source = new Readable({
      read() {
        sent += chunk.length;
        this.push(sent > total ? null : chunk);
      },
    });
    source.pipe(response);
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
  const chunk = Buffer.alloc(64 * 1024);
  let sent = 0;
  const source = new Readable({
    read() {
      sent += chunk.length;
      this.push(sent > total ? null : chunk);
    },
  });
  source.pipe(request);
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

/** The value once it has stopped changing from one turn of the event loop to many later. */
async function settled(value: () => number): Promise<number> {
  let last = -1;
  let unchanged = 0;
  while (unchanged < 200) {
    await new Promise((resolve) => setImmediate(resolve));
    unchanged = value() === last ? unchanged + 1 : 0;
    last = value();
  }
  return last;
}
