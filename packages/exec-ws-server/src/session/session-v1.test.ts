import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startContainer, type TestContainer } from '../testing/container.ts';
import { TestSocket } from '../testing/socket.ts';
import { startServer } from '../testing/start-server.ts';
import { runV1, v1Client } from '../testing/v1-client.ts';

let container: TestContainer;
beforeAll(async () => {
  container = await startContainer();
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

test('input reaches the command and its end too', async () => {
  await using server = await startServer(container.id);

  const result = await runV1(server.v1, ['wc', '-c'], { talk: (client) => client.stdin.end('abc') });

  expect(result).toEqual({ stdout: Buffer.from('3\n'), stderr: Buffer.alloc(0), exitCode: 0 });
});

test('bytes that are no text pass unchanged', async () => {
  await using server = await startServer(container.id);

  const result = await runV1(server.v1, ['cat', '-E'], {
    talk: (client) => client.stdin.end(Buffer.from([0xfa, 0xff, 0x0a])),
  });

  expect(result.stdout).toEqual(Buffer.from([0xfa, 0xff, 0x24, 0x0a]));
});

test('a mebibyte of random bytes comes back equal', async () => {
  await using server = await startServer(container.id);
  const data = randomBytes(1024 * 1024);

  const result = await runV1(server.v1, ['cat'], { talk: (client) => client.stdin.end(data) });

  expect(result.stdout.equals(data)).toBe(true);
  expect(result.exitCode).toBe(0);
});

test('standard output and error come apart without a terminal and together with one', async () => {
  await using server = await startServer(container.id);
  const command = ['sh', '-c', 'echo out; echo err >&2; exit 3'];

  const plain = await runV1(server.v1, command);
  const terminal = await runV1(server.v1, command, { tty: true });

  expect(plain).toEqual({ stdout: Buffer.from('out\n'), stderr: Buffer.from('err\n'), exitCode: 3 });
  expect(terminal).toEqual({ stdout: Buffer.from('out\r\nerr\r\n'), stderr: Buffer.alloc(0), exitCode: 3 });
});

test('a terminal runs a shell that is typed into', async () => {
  await using server = await startServer(container.id);

  const { exitCode } = await runV1(server.v1, ['bash'], {
    tty: true,
    talk: (client) => client.stdin.write('exit 9\n'),
  });

  expect(exitCode).toBe(9);
});

test('a new size reaches the terminal', async () => {
  await using server = await startServer(container.id);

  const { stdout } = await runV1(server.v1, ['sh', '-c', 'read line; stty size'], {
    tty: true,
    talk(client) {
      // Twice at once, as a page did that knew this protocol.
      client.resize(25, 71);
      client.resize(25, 71);
      client.stdin.write('\n');
    },
  });

  expect(stdout.toString()).toContain('25 71');
});

test('a size without a terminal is an error that changes nothing else', async () => {
  await using server = await startServer(container.id);
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  await socket.until(() => socket.messages.length > 0);

  socket.send(Buffer.from([50, 1, 0, 1, 0]));
  socket.send(Buffer.from('\0still here'));
  await socket.until(() => socket.messages.length === 3);

  expect(socket.messages.map(({ data }) => data.toString('latin1'))).toEqual([
    'd',
    'Êcannot resize, not a tty instance',
    '\x01still here',
  ]);
  socket.socket.close();
});

test('what is sent before the server is ready is kept', async () => {
  await using server = await startServer(container.id);
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  socket.send(Buffer.from('\0early'));
  socket.send(Buffer.from([102]));

  expect(await socket.closed).toEqual({ code: 1000, reason: 'the command has ended' });
  expect(socket.messages.map(({ data }) => data.toString('latin1'))).toEqual(['d', '\x01early', 'È\0']);
});

test('a paused client gets nothing until it resumes, however often it says so', async () => {
  await using server = await startServer(container.id);
  const socket = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  await socket.until(() => socket.messages.length > 0);
  for (let times = 0; times < 30; times++) {
    socket.send(Buffer.from([101]));
  }
  socket.send(Buffer.from('\0held'));
  // What the server answers to a size proves that it has read everything before.
  socket.send(Buffer.from([50, 1, 0, 1, 0]));
  await socket.until(() => socket.messages.length === 2);
  await container.run('true');
  expect(socket.messages.length).toBe(2);

  socket.send(Buffer.from([100]));

  await socket.until(() => socket.messages.length === 3);
  expect(socket.messages[2]?.data.toString()).toBe('\x01held');
  socket.socket.close();
});

test('a client that writes more than 8 MiB at once pauses', async () => {
  await using server = await startServer(container.id);
  const client = v1Client(server.v1, ['sh', '-c', 'wc -c']);
  await client.execute();
  const paused = once(client, 'paused');
  client.stdin.write(Buffer.alloc(8 * 1024 * 1024 + 1));

  await paused;

  client.stdin.end();
  let counted = '';
  client.stdout.on('data', (data) => {
    counted += data;
  });
  await once(client, 'exit');
  expect(counted).toBe('8388609\n');
});

test('one session more than there are places is told so', async () => {
  await using server = await startServer(container.id, { maxSessions: 1 });
  const first = v1Client(server.v1, ['cat']);
  await first.execute();
  const second = v1Client(server.v1, ['cat']);
  const refused = once(second, 'error');
  await second.execute();

  const [message] = await refused;

  expect(String(message)).toBe('Too many sessions active!');
  const ended = once(first, 'exit');
  first.stdin.end();
  await ended;
  expect((await runV1(server.v1, ['true'])).exitCode).toBe(0);
});

test('a command that is not there is told and has an exit code', async () => {
  await using server = await startServer(container.id);

  const result = await runV1(server.v1, ['/no/such/program']);

  expect(result.stdout.toString() + result.stderr.toString()).toContain('no such file');
  expect([126, 127]).toContain(result.exitCode);
});

test('a session in a container that has stopped is an error and a close', async () => {
  await using stopped = await startContainer();
  await using server = await startServer(stopped.id);
  await stopped.stop();
  const socket = await TestSocket.open(`${server.v1}?tty=true&command=sh`);

  expect((await socket.closed).code).toBe(1011);
  expect(socket.messages[0]?.data.toString('latin1')).toMatch(/^Ê.*is not running/);
  expect(server.sessions.count).toBe(0);
});

test('a container that is killed ends its sessions with 137', async () => {
  await using killed = await startContainer();
  await using server = await startServer(killed.id);
  const command = ['sh', '-c', 'echo up; sleep 100'].map((part) => `command=${encodeURIComponent(part)}`);
  const socket = await TestSocket.open(`${server.v1}?tty=true&${command.join('&')}`);
  await socket.until(() => socket.text.includes('up'));
  await killed.stop();

  expect((await socket.closed).code).toBe(1000);
  expect([...(socket.messages.at(-1)?.data ?? [])]).toEqual([200, 137]);
});

test('a shutdown is told to every client', async () => {
  await using server = await startServer(container.id);
  const client = v1Client(server.v1, ['cat']);
  await client.execute();
  const told = once(client, 'shutdown');
  await once(client, 'resumed');

  await server.shells.shutDown();

  await told;
});

test('sizes that race with the exit harm nobody', async () => {
  await using server = await startServer(container.id);
  const bystander = await TestSocket.open(`${server.v1}?tty=false&command=cat`);
  await bystander.until(() => bystander.messages.length > 0);
  const size = Buffer.from([50, 24, 0, 80, 0]);

  for (let round = 0; round < 5; round++) {
    const socket = await TestSocket.open(`${server.v1}?tty=true&command=true`);
    while (socket.socket.readyState === socket.socket.OPEN) {
      socket.send(size);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([...(socket.messages.at(-1)?.data ?? [])]).toEqual([200, 0]);
  }

  bystander.send(Buffer.from('\0alive'));
  await bystander.until(() => bystander.text.includes('alive'));
  bystander.socket.close();
});
