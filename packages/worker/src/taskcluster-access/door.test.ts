import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { expect, test } from '@jest/globals';
import { Door } from './door.ts';

test('who comes before anything is behind the door waits', async () => {
  await using server = await listening(createServer((socket) => socket.end('welcome')));
  const inside = Promise.withResolvers<number>();
  await using door = await Door.open('127.0.0.1', 0, inside.promise);

  const heard = text(connect(door.port, '127.0.0.1'));
  inside.resolve(server.port);

  expect(await heard).toBe('welcome');
});

test('a door that closes lets nobody in, and ends the visits', async () => {
  await using server = await listening(createServer(() => {}));
  const door = await Door.open('127.0.0.1', 0, Promise.resolve(server.port));
  const visitor = connect(door.port, '127.0.0.1').on('error', () => {});
  await once(visitor, 'connect');
  const over = once(visitor, 'close');

  const { port } = door;
  await door[Symbol.asyncDispose]();

  await over;
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
});
