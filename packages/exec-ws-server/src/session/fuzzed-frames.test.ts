import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startContainer, type TestContainer } from '../testing/container.ts';
import { TestSocket } from '../testing/socket.ts';
import { startServer } from '../testing/start-server.ts';
import { runV1 } from '../testing/v1-client.ts';

let container: TestContainer;
beforeAll(async () => {
  container = await startContainer();
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

test.each(['v1', 'v2', 'page'])(
  'a thousand random messages on %s harm neither the server nor other sessions',
  async (path) => {
    await using server = await startServer(container.id, { maxSessions: 4 });
    const bystander = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
    await bystander.until(() => bystander.messages.length > 0);
    const address = {
      v1: `${server.v1}?tty=true&command=cat`,
      v2: server.v2,
      page: server.url(`${server.secret}/session`),
    }[path] as string;

    let sent = 0;
    while (sent < 1000) {
      const socket = await TestSocket.open(address);
      // A message may well end the session, as one that types Ctrl+D does.
      while (sent < 1000 && socket.socket.readyState === socket.socket.OPEN) {
        const message = randomBytes(randomInt(64));
        socket.send(randomInt(2) === 0 ? message : message.toString('latin1'));
        sent += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.socket.close();
      await socket.closed;
    }

    bystander.send(Buffer.from('\0unharmed'));
    await bystander.until(() => bystander.text.includes('unharmed'));
    bystander.socket.close();
  },
);

test('bytes that are no WebSocket frames end only their own connection', async () => {
  await using server = await startServer(container.id);
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  const raw = (socket.socket as unknown as { _socket: import('node:net').Socket })._socket;
  raw.write(randomBytes(200));

  await socket.closed;

  expect((await runV1(server.v1, ['echo', 'fine'])).stdout.toString()).toBe('fine\n');
});

test('a message that is too large ends its session with 1009', async () => {
  await using server = await startServer(container.id, { limits: { maxMessageBytes: 2048 } });
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  socket.send(Buffer.alloc(4096));

  expect((await socket.closed).code).toBe(1009);
});

test('messages that come too fast wait, and none is lost', async () => {
  await using server = await startServer(container.id, { limits: { messagesPerSecond: 100 } });
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  const begun = performance.now();
  for (let count = 0; count < 250; count++) {
    socket.send(Buffer.from('\0x'));
  }
  await socket.until(() => socket.text.replaceAll(/[^x]/g, '').length === 250);
  socket.send(Buffer.from([102]));
  await once(socket.socket, 'close');

  // A second's worth goes through at once; the rest takes as long as it has to.
  expect(performance.now() - begun).toBeGreaterThan(1_400);
});
