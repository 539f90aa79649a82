import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startContainer, type TestContainer } from '../testing/container.ts';
import { refusedUpgrade, TestSocket } from '../testing/socket.ts';
import { startServer } from '../testing/start-server.ts';

let container: TestContainer;
beforeAll(async () => {
  container = await startContainer();
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

const size = (rows: number, columns: number) => Buffer.from([2, rows, 0, columns, 0]);
const input = (text: string) => Buffer.from(`\x01${text}`);

test('what is typed is echoed and run in a terminal of the right size', async () => {
  await using server = await startServer(container.id);
  const socket = await TestSocket.open(server.v2);
  socket.send(size(33, 99));
  socket.send(input('echo sentinel-$((40+2)); stty size; echo $TERM $USER $HOME\r'));

  await socket.until(() => /sentinel-42\r\n33 99\r\nxterm-256color root \/root\r\n/.test(socket.text));

  expect(socket.text.match(/sentinel-/g)?.length).toBeGreaterThanOrEqual(2);
  expect(socket.text).not.toContain('Inappropriate ioctl');
  socket.send(input('exit\r'));
  expect((await socket.closed).code).toBe(1000);
});

test('a browser’s own WebSocket speaks it', async () => {
  await using server = await startServer(container.id);
  const socket = new WebSocket(server.v2);
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  socket.send(size(24, 80));
  socket.send(input('echo $((6*7))-works; exit\r'));
  let text = '';
  socket.onmessage = ({ data }) => {
    text += Buffer.from(data as ArrayBuffer).toString();
  };

  await once(socket, 'close');

  expect(text).toContain('42-works');
});

test('the shell that an image brings goes first, and its message of the day before it', async () => {
  await using own = await startContainer();
  await own.run('sh', '-c', 'echo welcome > /etc/taskcluster-motd');
  await own.run(
    'sh',
    '-c',
    'printf "#!/bin/sh\\necho own shell\\n" > /bin/taskcluster-interactive-shell; chmod +x /bin/taskcluster-interactive-shell',
  );
  await using server = await startServer(own.id);
  const socket = await TestSocket.open(server.v2);

  await socket.closed;

  expect(socket.text).toBe('welcome\r\nown shell\r\n');
});

test('another secret is denied, and no path that is nearly right is taken', async () => {
  await using server = await startServer(container.id);

  expect(await refusedUpgrade(server.url('shell/AAAAAAAAAAAAAAAAAAAAAA'))).toEqual({
    status: 401,
    body: 'Access denied',
  });
  expect((await refusedUpgrade(`${server.v2}/`)).status).toBe(400);
  expect((await refusedUpgrade(server.url(''))).status).toBe(400);
  expect((await refusedUpgrade(server.url('AAAAAAAAAAAAAAAAAAAAAA/shell.sock'))).status).toBe(400);
  expect((await refusedUpgrade(`${server.v1}/?command=true`)).status).toBe(400);
  expect(server.log()).not.toContain(server.secret);
});

test('a page of another origin may not connect, one that is configured may', async () => {
  await using server = await startServer(container.id, { origins: ['https://tc.example.com'] });

  expect((await refusedUpgrade(server.v2, { origin: 'https://evil.example.com' })).status).toBe(403);
  const socket = await TestSocket.open(server.v2, { origin: 'https://tc.example.com' });
  socket.socket.close();
});

test('connections that come too fast are refused', async () => {
  await using server = await startServer(container.id, {
    limits: { connectionBurst: 1, connectionsPerSecond: 0.01 },
  });
  const socket = await TestSocket.open(server.v2);

  expect((await refusedUpgrade(server.v2)).status).toBe(429);
  socket.socket.close();
});

test('who comes when the container is gone is told that the task is over', async () => {
  await using server = await startServer('gone-with-its-task');
  const socket = await TestSocket.open(server.v2);

  expect((await socket.closed).code).toBe(1011);
  expect(socket.text).toContain('the task is over');
});

test('in a container that has stopped the reason is shown', async () => {
  await using stopped = await startContainer();
  await using server = await startServer(stopped.id);
  await stopped.stop();
  const socket = await TestSocket.open(server.v2);

  expect((await socket.closed).code).toBe(1011);
  expect(socket.text).toContain('is not running');
});
