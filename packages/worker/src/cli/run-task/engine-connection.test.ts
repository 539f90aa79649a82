import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { engineSocket } from '../../engine/testing/engine-socket.ts';
import { EngineConnection } from './engine-connection.ts';

const { DOCKER_HOST } = process.env;

afterEach(() => {
  if (DOCKER_HOST === undefined) {
    delete process.env.DOCKER_HOST;
  } else {
    process.env.DOCKER_HOST = DOCKER_HOST;
  }
});

test('the engine is connected to once, and left when the connection is disposed of', async () => {
  let streams = 0;
  const left = Promise.withResolvers<void>();
  await using socket = await engineSocket((request, response) => {
    if (request.url?.includes('/events')) {
      streams += 1;
      response.writeHead(200).flushHeaders();
      response.once('close', left.resolve);
    } else {
      response.end('OK');
    }
  });
  process.env.DOCKER_HOST = `unix://${socket.socketPath}`;
  const connection = new EngineConnection();

  expect(await connection.connect()).toBe(await connection.connect());
  expect(streams).toBe(1);
  await connection[Symbol.asyncDispose]();
  await left.promise;
});

test('an engine that takes the connection and never answers holds up neither what is next nor the end', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  await once(server.listen(join(tmpdir(), `silent-engine-${process.pid}.sock`)), 'listening');
  process.env.DOCKER_HOST = `unix://${server.address()}`;
  try {
    const connected = once(server, 'connection');
    const connection = new EngineConnection();
    await connection.begin();
    const connecting = connection.connect();
    await connected;

    await connection[Symbol.asyncDispose]();

    await expect(connecting).rejects.toThrow('not wanted any more');
  } finally {
    for (const socket of sockets) {
      socket.destroy();
    }
    await new Promise((done) => server.close(done));
  }
});

test('an engine that is not there is told to whoever waits for it, and to nobody else', async () => {
  process.env.DOCKER_HOST = `unix://${join(tmpdir(), 'no-engine.sock')}`;
  const connection = new EngineConnection();
  await connection.begin();
  await connection[Symbol.asyncDispose]();

  await expect(connection.connect()).rejects.toThrow('No Docker Engine answers');
});
