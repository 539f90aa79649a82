import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { queueClient } from './queue.ts';

const credentials = { clientId: 'worker', accessToken: 'secret' };

async function openQueue(onRequest: RequestListener = () => {}) {
  let connections = 0;
  const server = createServer((request, response) => {
    onRequest(request, response);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    client: () => queueClient(`http://127.0.0.1:${port}`, credentials),
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

test('calls one after the other go over one connection, whoever makes them', async () => {
  await using queue = await openQueue();

  await queue.client().ping();
  await queue.client().ping();

  expect(queue.connections()).toBe(1);
});

test('a queue that keeps no connection gets a new one for each call', async () => {
  await using queue = await openQueue((_request, response) => response.setHeader('connection', 'close'));

  await queue.client().ping();
  await queue.client().ping();

  expect(queue.connections()).toBe(2);
});
