import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startContainer, type TestContainer } from '../testing/container.ts';
import { TestSocket } from '../testing/socket.ts';
import { startServer, type TestServer } from '../testing/start-server.ts';

let container: TestContainer;
beforeAll(async () => {
  container = await startContainer();
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

/** Runs a shell script as a session and waits until it has printed `up`. */
async function openSession(server: TestServer, script: string, tty: boolean): Promise<TestSocket> {
  const command = ['sh', '-c', script].map((part) => `command=${encodeURIComponent(part)}`).join('&');
  const socket = await TestSocket.open(`${server.v1}?tty=${tty}&${command}`);
  await socket.until(() => socket.text.includes('up'));
  return socket;
}

/** Resolves when every session has ended and given its place back. */
async function allEnded({ sessions }: TestServer): Promise<void> {
  while (sessions.count > 0) {
    await setTimeout(20);
  }
}

/** Command lines of everything in the container but its init, its sleep and this look itself. */
async function processes(): Promise<string[]> {
  const listing = await container.run(
    'sh',
    '-c',
    'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline; echo; done 2>/dev/null',
  );
  return listing.split('\n').filter((line) => /^(sleep (?!600)|cat|bash)/.test(line));
}

test.each([true, false])('a plain command is gone with its client (terminal: %s)', async (tty) => {
  await using server = await startServer(container.id);
  const socket = await openSession(server, 'echo up; sleep 1111', tty);
  expect(await processes()).not.toEqual([]);

  socket.socket.terminate();
  await allEnded(server);

  expect(await processes()).toEqual([]);
});

test('what ignores HUP, has left its session or its parent, or dropped its environment is gone too', async () => {
  await using server = await startServer(container.id, { graceSeconds: 0.3 });
  const socket = await openSession(
    server,
    'trap "" HUP; setsid sleep 1112 & (sleep 1113 &) ; env -i sleep 1114 & nohup sleep 1115 >/dev/null 2>&1 & echo up; sleep 1116',
    false,
  );
  expect((await processes()).length).toBeGreaterThanOrEqual(5);

  socket.socket.terminate();
  await allEnded(server);

  expect(await processes()).toEqual([]);
});

test('HUP comes first, and who heeds it has its time', async () => {
  await using server = await startServer(container.id, { graceSeconds: 5 });
  await container.run('rm', '-f', '/tmp/goodbye');
  const socket = await openSession(
    server,
    'trap "sleep 0.2; echo heeded > /tmp/goodbye; exit" HUP; echo up; while :; do sleep 0.1; done',
    false,
  );

  socket.socket.close();
  await allEnded(server);

  expect(await container.run('cat', '/tmp/goodbye')).toBe('heeded\n');
});

test('a session beside the one that ends goes on', async () => {
  await using server = await startServer(container.id);
  const other = await openSession(server, 'echo up; cat', false);
  const socket = await openSession(server, 'echo up; sleep 1117', true);

  socket.socket.terminate();
  while (server.sessions.count > 1) {
    await setTimeout(20);
  }

  other.send(Buffer.from('\0still here'));
  await other.until(() => other.text.includes('still here'));
  other.socket.close();
});

test('a peer that answers no ping is given up', async () => {
  await using server = await startServer(container.id, { limits: { heartbeatSeconds: 0.1 } });
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`, { autoPong: false });

  expect((await socket.closed).code).toBe(1006);
  await allEnded(server);
});

test('a peer that answers pings stays', async () => {
  await using server = await startServer(container.id, { limits: { heartbeatSeconds: 0.05 } });
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  let pings = 0;
  socket.socket.on('ping', () => {
    pings += 1;
    socket.emit('change');
  });

  await socket.until(() => pings >= 8);

  socket.send(Buffer.from('\0here'));
  await socket.until(() => socket.text.includes('here'));
  socket.socket.close();
});
