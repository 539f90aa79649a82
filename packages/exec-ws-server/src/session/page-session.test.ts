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

async function openPage(server: TestServer, query = ''): Promise<TestSocket> {
  const socket = await TestSocket.open(server.url(`${server.secret}/session${query}`));
  await socket.until(() => socket.json.length > 0);
  return socket;
}

test('a page that was cut off gets the same shell back and all that it has missed', async () => {
  await using server = await startServer(container.id, {
    page: { task: { taskId: 'T', runId: 0 }, endsAt: 5 },
  });
  const first = await openPage(server);
  const session = first.json[0]?.session as string;
  expect(first.json[0]).toMatchObject({
    type: 'session',
    position: 0,
    resumed: false,
    task: { taskId: 'T', runId: 0 },
    endsAt: 5,
  });
  first.send(Buffer.from('marker=kept; (sleep 0.3; echo while-$((1+1))-away) &\r'));
  await first.until(() => first.text.includes('away'));
  const have = Buffer.byteLength(first.text);
  first.socket.terminate();
  await setTimeout(500);

  const second = await openPage(server, `?session=${session}&have=${have}`);

  expect(second.json[0]).toMatchObject({ session, resumed: true, position: have });
  await second.until(() => second.text.includes('while-2-away'));
  second.send(Buffer.from('echo $marker-$((2+2))\r'));
  await second.until(() => second.text.includes('kept-4'));
  second.send(Buffer.from('exit 7\r'));
  await second.closed;
  expect(second.json.at(-1)).toEqual({ type: 'exit', exitCode: 7 });
});

test('a page that has forgotten everything gets the scrollback', async () => {
  await using server = await startServer(container.id);
  const first = await openPage(server);
  first.send(Buffer.from('echo before-$((1+1))\r'));
  await first.until(() => first.text.includes('before-2'));
  first.socket.terminate();

  const second = await openPage(server, `?session=${first.json[0]?.session}&have=0`);

  await second.until(() => second.text.includes('before-2'));
  second.socket.terminate();
});

test('a second page that takes the shell over sends the first one away', async () => {
  await using server = await startServer(container.id);
  const first = await openPage(server);
  const second = await openPage(server, `?session=${first.json[0]?.session}&have=0`);

  expect((await first.closed).code).toBe(4001);
  second.send(Buffer.from('echo mine-$((1+1))\r'));
  await second.until(() => second.text.includes('mine-2'));
  second.socket.terminate();
});

test('a page that does not come back in time has lost its shell', async () => {
  await using server = await startServer(container.id, { page: { resumeSeconds: 0.2 } });
  const first = await openPage(server);
  const session = first.json[0]?.session as string;
  first.socket.terminate();
  while (server.sessions.count > 0) {
    await setTimeout(20);
  }

  const second = await openPage(server, `?session=${session}&have=0`);

  expect(second.json[0]).toMatchObject({ resumed: false });
  expect(second.json[0]?.session).not.toBe(session);
  second.socket.terminate();
});

test('no more is sent than a window ahead of what the page has shown, also across a break', async () => {
  await using server = await startServer(container.id, {
    shell: ['sh', '-c', 'stty -opost -echo; head -c 3000000 /dev/zero; echo done; read line'],
  });
  const first = await openPage(server);
  await first.until(() => first.text.length > 500_000);
  await setTimeout(300);
  const have = first.text.length;
  expect(have).toBeLessThan(1_000_000);
  first.socket.terminate();

  const second = await openPage(server, `?session=${first.json[0]?.session}&have=${have}`);
  let received = have;
  second.socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      received += data.length;
      second.send(JSON.stringify({ type: 'seen', position: received }));
    }
  });

  await second.until(() => second.text.endsWith('done\n'));
  expect(second.json[0]).toMatchObject({ position: have });
  expect(have + second.text.length).toBe(3_000_005);
  second.socket.terminate();
});

test('without a free place, or a running container, a page is told why', async () => {
  await using stopped = await startContainer();
  await using server = await startServer(stopped.id, { maxSessions: 1 });
  const first = await openPage(server);
  const second = await openPage(server);

  expect(second.json).toEqual([{ type: 'failed', message: 'Too many sessions active!' }]);
  expect((await second.closed).code).toBe(1013);
  await stopped.stop();
  await first.closed;
  while (server.sessions.count > 0) {
    await setTimeout(20);
  }
  const third = await openPage(server);
  expect(third.json[0]).toMatchObject({ type: 'failed', message: expect.stringContaining('is not running') });
});

test('nonsense in the place of a message changes nothing', async () => {
  await using server = await startServer(container.id);
  const socket = await openPage(server);
  for (const text of [
    '',
    '{',
    '{}',
    '{"type":"resize","rows":-1,"columns":1e9}',
    '{"type":"seen","position":1e99}',
  ]) {
    socket.send(text);
  }
  socket.send(JSON.stringify({ type: 'resize', rows: 31, columns: 77 }));
  socket.send(Buffer.from('stty size\r'));

  await socket.until(() => socket.text.includes('31 77'));
  socket.socket.terminate();
});
