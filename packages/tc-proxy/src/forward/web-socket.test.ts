import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { expect, test } from '@jest/globals';
import { authenticate } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';

/** Switches protocols for those who are signed for, and then sends back what it gets. */
async function startEcho() {
  const opened: { request: IncomingMessage; clientId: string; socket: Duplex }[] = [];
  const server = createServer((_, response) => response.end('plain'));
  server.on('upgrade', (request, socket, head) => {
    authenticate(request).then(
      ({ clientId }) => {
        opened.push({ request, clientId, socket });
        const accept = createHash('sha1')
          .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64');
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        socket.write(head);
        socket.pipe(socket);
      },
      () => socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno'),
    );
  });
  return { ...(await listening(server)), opened };
}

const handshake = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

function ask(port: number, path: string, headers: Record<string, string> = handshake) {
  return httpRequest({ port, host: '127.0.0.1', path, headers, agent: false }).end();
}

test('a WebSocket is signed for and carries bytes both ways', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy(upstream.url);

  const request = ask(proxy.port, '/q/v1/socket?a=%2F');
  const [response, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex];
  socket.write('hello');
  const [echoed] = await once(socket, 'data');
  socket.destroy();

  expect(String(echoed)).toBe('hello');
  expect(response.headers).toMatchObject({
    'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'x-taskcluster-endpoint': `${upstream.url}/api/q/v1/socket?a=%2F`,
  });
  const [{ request: seen, clientId }] = upstream.opened as [(typeof upstream.opened)[number]];
  expect([clientId, seen.url]).toEqual(['tester', '/api/q/v1/socket?a=%2F']);
});

test('a standard WebSocket client accepts the handshake', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy(upstream.url);

  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/q/v1/socket`);
  const opened = await new Promise((resolve) => {
    socket.addEventListener('open', () => resolve('open'));
    socket.addEventListener('error', () => resolve('error'));
  });
  for (const { socket } of upstream.opened) socket.destroy();

  expect(opened).toBe('open');
});

test('what the client sends right behind its request arrives first', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy(upstream.url);
  const client = connect(proxy.port, '127.0.0.1');
  const lines = Object.entries(handshake).map(([name, value]) => `${name}: ${value}\r\n`);

  client.write(`GET /q/v1/socket HTTP/1.1\r\nHost: taskcluster\r\n${lines.join('')}\r\nearly`);
  let text = '';
  client.on('data', (chunk) => {
    text += chunk;
    if (text.endsWith('early')) client.end();
  });
  await once(client, 'close');

  expect(text).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\nearly$/);
});

test.each([
  ['the client', 'leaves'],
  ['the upstream', 'hangs up'],
])('when %s %s the other side is closed', async (side) => {
  await using upstream = await startEcho();
  await using proxy = await startProxy(upstream.url);
  const request = ask(proxy.port, '/q/v1/socket');
  const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex];
  const far = upstream.opened[0]?.socket as Duplex;
  const [leaving, left] = side === 'the client' ? [socket, far] : [far, socket];
  left.on('error', () => {}).resume();

  leaving.destroy();
  await once(left, 'close');

  expect(left.destroyed).toBe(true);
});

test('an upstream that does not switch has its answer handed on, and the connection ends', async () => {
  await using upstream = await startServer((_, response) => response.writeHead(426).end('not here'));
  await using proxy = await startProxy(upstream.url);

  const [response] = (await once(ask(proxy.port, '/q/v1/socket'), 'response')) as [IncomingMessage];

  expect([response.statusCode, (await response.toArray()).join('')]).toEqual([426, 'not here']);
  expect(response.headers.connection).toBe('close');
});

test('a path that leads nowhere is refused for WebSockets as for all', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy(upstream.url);

  const [response] = (await once(ask(proxy.port, '/x@/'), 'response')) as [IncomingMessage];
  response.resume();

  expect(response.statusCode).toBe(404);
});

test('a dead upstream is a 502 for WebSockets too', async () => {
  const upstream = await startEcho();
  await upstream[Symbol.asyncDispose]();
  await using proxy = await startProxy(upstream.url);

  const [response] = (await once(ask(proxy.port, '/q/v1/socket'), 'response')) as [IncomingMessage];

  expect(response.statusCode).toBe(502);
  expect(JSON.parse((await response.toArray()).join('')).code).toBe('UpstreamRefused');
});

test.each([
  ['h2c', { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': '' }],
  ['a body', { ...handshake, 'Content-Length': '0', 'Transfer-Encoding': 'chunked' }],
])('an upgrade with %s is served as the plain request that it is', async (_, headers) => {
  await using upstream = await startServer((request, response) =>
    response.end(`upgrade: ${request.headers.upgrade}`),
  );
  await using proxy = await startProxy(upstream.url);
  const { 'Content-Length': _length, ...sent } = headers as Record<string, string>;

  const [response] = (await once(ask(proxy.port, '/q/v1/x', sent), 'response')) as [IncomingMessage];

  expect((await response.toArray()).join('')).toBe('upgrade: undefined');
});

test('draining ends WebSockets', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy(upstream.url);
  const [, socket] = (await once(ask(proxy.port, '/q/v1/socket'), 'upgrade')) as [IncomingMessage, Duplex];
  socket.on('error', () => {}).resume();

  await Promise.all([proxy.drain(), once(socket, 'close')]);

  expect(await proxy.metrics.metrics()).toContain('status="101"');
});
