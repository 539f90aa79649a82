import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { settled } from '@docker-worker/service-kit/testing/settled';
import { zeros } from '@docker-worker/service-kit/testing/zeros';
import { expect, test } from '@jest/globals';
import { startProxy } from '../testing/start-proxy.ts';
import { startTcpServer, type TestTcpServer } from '../testing/start-tcp-server.ts';

const total = 256 * 1024 * 1024;
/** Socket buffers of two connections, and no more. */
const buffers = 32 * 1024 * 1024;

test('a client that reads slowly slows the upstream down', async () => {
  let sent = 0;
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, { 'content-length': total });
    zeros(total, (bytes) => {
      sent += bytes;
    }).pipe(response);
  });
  await using proxy = await startProxy(upstream.url);

  const request = httpRequest({ port: proxy.port, host: '127.0.0.1', path: '/q/v1/x', agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await once(response, 'readable');
  const whileNotRead = await settled(() => sent);
  let received = 0;
  for await (const chunk of response) received += chunk.length;

  expect(whileNotRead).toBeLessThan(buffers);
  expect(received).toBe(total);
});

test('an upstream that reads slowly slows the client down', async () => {
  const mayRead = Promise.withResolvers<void>();
  let received = 0;
  await using upstream = await startServer(async (request, response) => {
    await mayRead.promise;
    for await (const chunk of request) received += chunk.length;
    response.end('thanks');
  });
  await using proxy = await startProxy(upstream.url);

  const request = httpRequest({
    ...{ port: proxy.port, host: '127.0.0.1', path: '/q/v1/x', method: 'PUT', agent: false },
    headers: { 'content-length': total },
  });
  let sent = 0;
  zeros(total, (bytes) => {
    sent += bytes;
  }).pipe(request);
  await once(request, 'socket');
  const whileNotRead = await settled(() => sent);
  mayRead.resolve();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();

  expect(whileNotRead).toBeLessThan(buffers);
  expect([response.statusCode, received]).toEqual([200, total]);
});

test('head and first bytes of an answer do not wait for the rest', async () => {
  const mayEnd = Promise.withResolvers<void>();
  await using upstream = await startServer(async (_, response) => {
    response.writeHead(200).flushHeaders();
    await mayEnd.promise;
    response.end('done');
  });
  await using proxy = await startProxy(upstream.url);

  const request = httpRequest({ port: proxy.port, host: '127.0.0.1', path: '/q/v1/x', agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  mayEnd.resolve();

  expect((await response.toArray()).join('')).toBe('done');
});

test.each([['GET'], ['PUT']])(
  'a client that leaves during a %s aborts the upstream request',
  async (method) => {
    const arrived = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    await using upstream = await startServer((request) => {
      request.socket.once('close', () => aborted.resolve());
      arrived.resolve();
    });
    await using proxy = await startProxy(upstream.url);

    const request = httpRequest({
      ...{ port: proxy.port, host: '127.0.0.1', path: '/q/v1/x', method, agent: false },
      headers: method === 'PUT' ? { 'content-length': 10 } : {},
    });
    request.on('error', () => {});
    if (method === 'PUT') request.write('half');
    else request.end();
    await arrived.promise;
    request.socket?.resetAndDestroy();

    await expect(aborted.promise).resolves.toBeUndefined();
  },
);

test('a client that was sending a body to a dead upstream is told so', async () => {
  let refusedUrl = '';
  {
    await using closed = await startServer(() => {});
    refusedUrl = closed.url;
  }
  await using proxy = await startProxy(refusedUrl);

  const body = Buffer.alloc(1024 * 1024);
  const { status, text } = await send(proxy.port, '/q/v1/x', { method: 'PUT', body });

  expect([status, JSON.parse(text).code]).toEqual([502, 'UpstreamRefused']);
});

test('an upstream that hangs up in the middle of an upload is a 502', async () => {
  await using upstream = await startServer((request) => {
    request.once('data', () => request.socket.destroy());
  });
  await using proxy = await startProxy(upstream.url);

  const request = httpRequest({
    ...{ port: proxy.port, host: '127.0.0.1', path: '/q/v1/x', method: 'PUT', agent: false },
    headers: { 'content-length': total },
  });
  request.write('the beginning');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  request.on('error', () => {});

  expect(response.statusCode).toBe(502);
  expect(JSON.parse((await response.toArray()).join('')).code).toBe('UpstreamClosed');
});

test.each([
  ['an early refusal', '413'],
  ['a dead upstream', '502'],
])('after %s the rest of the upload is taken, and the next request answered', async (_, expected) => {
  await using upstream = await startServer((_, response) => response.writeHead(413).end('too large'));
  if (expected === '502') await upstream[Symbol.asyncDispose]();
  await using proxy = await startProxy(upstream.url);
  const client = connect(proxy.port, '127.0.0.1');
  client.write(`PUT /q/v1/x HTTP/1.1\r\nHost: taskcluster\r\nContent-Length: ${total}\r\n\r\n`);
  const upload = zeros(total, () => {});
  upload.pipe(client, { end: false });
  upload.once('end', () => {
    client.write('GET /nowhere HTTP/1.1\r\nHost: taskcluster\r\nConnection: close\r\n\r\n');
  });

  const text = (await client.toArray()).join('');

  expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([expected, '404']);
});

test('an answer that is cut short is a 502 before its first byte and a cut connection after', async () => {
  await using upstream = await startBrokenServer();
  await using proxy = await startProxy(upstream.url);

  const before = await send(proxy.port, '/q/v1/closes-at-once');
  const after = await send(proxy.port, '/q/v1/closes-in-body').catch((error: Error) => error);

  expect([before.status, JSON.parse(before.text).code]).toEqual([502, 'UpstreamClosed']);
  expect(after).toMatchObject({ code: 'ECONNRESET' });
});

test('a silent upstream is a 504', async () => {
  await using upstream = await startServer(() => {});
  await using proxy = await startProxy(upstream.url, {
    upstreams: { headersTimeoutMs: 50 },
  });

  const { status, text } = await send(proxy.port, '/q/v1/x');

  expect([status, JSON.parse(text).code]).toEqual([504, 'UpstreamTimeout']);
});

test('draining lets a request in flight finish and then closes its connection', async () => {
  const mayEnd = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using upstream = await startServer(async (_, response) => {
    arrived.resolve();
    await mayEnd.promise;
    response.end('done');
  });
  await using proxy = await startProxy(upstream.url);
  const client = connect(proxy.port, '127.0.0.1');
  client.write('GET /q/v1/x HTTP/1.1\r\nHost: taskcluster\r\n\r\n');
  await arrived.promise;

  const drained = proxy.drain();
  mayEnd.resolve();
  const text = (await client.toArray()).join('');
  await drained;

  expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*Connection: close[\s\S]*done/);
});

/** Speaks HTTP as far as the path says, then hangs up. */
function startBrokenServer(): Promise<TestTcpServer> {
  return startTcpServer((socket) => {
    socket.once('data', (chunk) => {
      if (String(chunk).includes('closes-in-body'))
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      socket.end();
    });
  });
}
