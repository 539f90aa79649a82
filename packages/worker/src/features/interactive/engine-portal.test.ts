import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { openEnginePortal } from './engine-portal.ts';
import { startEngineStandIn } from './testing/engine-stand-in.ts';

const own = 'c'.repeat(64);
const foreign = 'f'.repeat(64);
const command = {
  ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: true },
  ...{ Cmd: ['sh'], Env: ['A=1'] },
};

test('a command is made, started, sized and looked at by a usual client', async () => {
  await using portal = await openPortal();
  const exec = await portal.docker.getContainer(own).exec(command);
  const stream = (await exec.start({ hijack: true, stdin: true, Tty: true })) as unknown as Socket;
  await exec.resize({ h: 40, w: 100 });
  stream.write('typed');
  const [echo] = (await once(stream, 'data')) as [Buffer];

  expect(echo.toString()).toBe('typed');
  expect(await exec.inspect()).toEqual({ ID: exec.id, Running: false, ExitCode: 7 });
  expect(portal.engine.calls.map(({ call }) => call)).toEqual([
    `POST /containers/${own}/exec`,
    `POST /exec/${exec.id}/start`,
    `POST /exec/${exec.id}/resize?h=40&w=100`,
    `GET /exec/${exec.id}/json`,
  ]);
  expect(JSON.parse(portal.engine.calls[0]?.body ?? '')).toEqual(command);
  stream.destroy();
});

test('input that ends before the output does, and large amounts, pass as they are', async () => {
  await using portal = await openPortal();
  const exec = await portal.docker.getContainer(own).exec(command);
  const stream = (await exec.start({ hijack: true, stdin: true, Tty: true })) as unknown as Socket;
  const sent = Buffer.alloc(8 * 1024 * 1024, 'some bytes \0 of all kinds \xff');
  stream.end(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
  }

  expect(Buffer.concat(chunks).equals(sent)).toBe(true);
});

test('what a command said last is delivered, however late it is read', async () => {
  await using portal = await openPortal();
  const bytes = 4 * 1024 * 1024;
  const exec = await portal.docker.getContainer(own).exec({ ...command, Cmd: ['print', String(bytes)] });
  const stream = (await exec.start({ hijack: true, stdin: true, Tty: true })) as unknown as Socket;
  let read = 0;
  for await (const chunk of stream) {
    read += chunk.length;
    await setTimeout(1);
  }

  expect(read).toBe(bytes);
  await portal.counted(0);
});

test('people are counted by the streams that take input', async () => {
  await using portal = await openPortal();
  const open = async (options: object) => {
    const exec = await portal.docker.getContainer(own).exec({ ...command, ...options });
    return (await exec.start({ hijack: true, stdin: true, Tty: true })) as unknown as Socket;
  };
  const [first, second, silent] = [await open({}), await open({}), await open({ AttachStdin: false })];
  expect(portal.counts).toEqual([1, 2]);
  for (const stream of [silent, first, second]) {
    stream.destroy();
  }
  await portal.counted(0);

  expect(portal.counts).toEqual([1, 2, 1, 0]);
});

test.each([
  ['another container', 'POST', `/containers/${foreign}/exec`],
  ['a name in place of the id', 'POST', '/containers/task/exec'],
  ['the beginning of the id', 'POST', `/containers/${own.slice(0, 12)}/exec`],
  ['another container by a path that is to be corrected', 'POST', `/containers/${own}/../${foreign}/exec`],
  ['the same, encoded', 'POST', `/containers/${own}/%2e%2e/${foreign}/exec`],
  ['an encoded letter', 'POST', `/containers/%63${own.slice(1)}/exec`],
  ['doubled slashes', 'POST', `//containers/${own}/exec`],
  ['a version before the path', 'POST', `/v1.41/containers/${own}/exec`],
  ['a query', 'POST', `/containers/${own}/exec?x=1`],
  ['a fragment', 'POST', `/containers/${own}/exec#x`],
  ['an address in place of the path', 'POST', `http://localhost/containers/${own}/exec`],
  ['the container itself', 'GET', `/containers/${own}/json`],
  ['its end', 'POST', `/containers/${own}/kill`],
  ['its removal', 'DELETE', `/containers/${own}`],
  ['its files', 'GET', `/containers/${own}/archive?path=/etc/shadow`],
  ['its processes', 'GET', `/containers/${own}/top`],
  ['another method', 'PUT', `/containers/${own}/exec`],
  ['a new container', 'POST', '/containers/create'],
  ['the list of containers', 'GET', '/containers/json'],
  ['images', 'POST', '/images/create?fromImage=x'],
  ['a build', 'POST', '/build'],
  ['volumes', 'POST', '/volumes/create'],
  ['the engine', 'GET', '/info'],
  ['its events', 'GET', '/events'],
  ['a command that somebody else made', 'GET', `/exec/${'d'.repeat(64)}/json`],
  ['the size of such a command', 'POST', `/exec/${'d'.repeat(64)}/resize?h=1&w=1`],
  ['a command without its id', 'GET', '/exec//json'],
])('%s is refused, and the engine hears nothing', async (_, method, path) => {
  await using portal = await openPortal();
  const answer = await portal.send(method, path, JSON.stringify(command));

  expect(answer.status).toBe(403);
  expect(portal.engine.calls).toEqual([]);
});

test.each([
  ['privileges', { Privileged: true }],
  ['no privileges, but in so many words', { Privileged: false }],
  ['another user', { User: '0' }],
  ['another folder', { WorkingDir: '/' }],
  ['keys to detach', { DetachKeys: 'ctrl-a' }],
  ['a detached start', { Detach: true }],
  ['a command that is no list', { Cmd: 'sh' }],
  ['a command of other things than texts', { Cmd: [{}] }],
  ['no output', { AttachStdout: false }],
  ['anything that is not known', { Anything: 1 }],
])('%s cannot be asked for', async (_, options) => {
  await using portal = await openPortal();
  const body = JSON.stringify({ ...command, ...options });
  const answer = await portal.send('POST', `/containers/${own}/exec`, body);

  expect(answer.status).toBe(400);
  expect(portal.engine.calls).toEqual([]);
});

test.each([
  ['no JSON', '{'],
  ['nothing', ''],
  ['a list', '[]'],
  ['another prototype', '{"__proto__":{"Privileged":true}}'],
])('%s is no request', async (_, body) => {
  await using portal = await openPortal();
  expect((await portal.send('POST', `/containers/${own}/exec`, body)).status).toBe(400);
  expect(portal.engine.calls).toEqual([]);
});

test('what is written twice reaches the engine once, as it was understood here', async () => {
  await using portal = await openPortal();
  const body = JSON.stringify(command).replace('"Cmd":["sh"]', '"Cmd":["first"],"Cmd":["second"]');
  await portal.send('POST', `/containers/${own}/exec`, body);

  expect(portal.engine.calls[0]?.body.match(/Cmd/g)).toHaveLength(1);
  expect(portal.engine.calls[0]?.body).toContain('second');
});

test('a request that is too large is refused', async () => {
  await using portal = await openPortal();
  const body = JSON.stringify({ ...command, Cmd: ['x'.repeat(300_000)] });
  expect((await portal.send('POST', `/containers/${own}/exec`, body)).status).toBe(413);
  expect(portal.engine.calls).toEqual([]);
});

test.each(['h=0&w=10', 'h=10', 'h=10&w=-1', 'h=1e3&w=10', 'h=10&w=10%26x', ''])(
  'a terminal cannot have the size %s',
  async (query) => {
    await using portal = await openPortal();
    const { id } = await portal.docker.getContainer(own).exec(command);
    expect((await portal.send('POST', `/exec/${id}/resize?${query}`)).status).toBe(400);
    expect(portal.engine.calls).toHaveLength(1);
  },
);

test.each([
  ['of a command that somebody else made', `/exec/${'d'.repeat(64)}/start`, 'Content-Length: 12'],
  ['of a container', `/containers/${own}/attach?stream=1&stdin=1`, 'Content-Length: 12'],
  ['of the engine', '/session', 'Content-Length: 12'],
  ['without a length', '/exec/<own>/start', 'Transfer-Encoding: chunked'],
  ['of no length', '/exec/<own>/start', 'Content-Length: 0'],
  ['of too great a length', '/exec/<own>/start', 'Content-Length: 99999999'],
  ['with a query', '/exec/<own>/start?x', 'Content-Length: 12'],
])('a stream %s is refused', async (_, path, header) => {
  await using portal = await openPortal();
  const { id } = await portal.docker.getContainer(own).exec(command);
  const answer = await portal.raw(
    `POST ${path.replace('<own>', id)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
      `Content-Type: application/json\r\n${header}\r\n\r\n{"Tty":true}`,
  );

  expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
  expect(portal.engine.calls).toHaveLength(1);
});

test('a detached start is refused', async () => {
  await using portal = await openPortal();
  const { id } = await portal.docker.getContainer(own).exec(command);
  const body = '{"Tty":true,"Detach":true}';
  const answer = await portal.raw(
    `POST /exec/${id}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(portal.engine.calls).toHaveLength(1);
});

const smuggled = 'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';

test.each([
  ['two lengths', `Content-Length: 0\r\nContent-Length: ${smuggled.length}`],
  ['a length and chunks', `Content-Length: ${smuggled.length}\r\nTransfer-Encoding: chunked`],
  ['chunks under another name', 'Transfer-Encoding: xchunked'],
  ['a length with a space', `Content-Length : ${smuggled.length}`],
  ['a folded header', 'X: a\r\n b'],
  ['no length', 'X: a'],
])('a second request behind one with %s does not reach the engine', async (_, header) => {
  await using portal = await openPortal();
  const answer = await portal.raw(
    `POST /containers/${own}/exec HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n${smuggled}`,
  );

  expect(answer).not.toContain('HTTP/1.1 20');
  expect(portal.engine.calls).toEqual([]);
});

test('what follows the start of a stream is input and nothing else', async () => {
  await using portal = await openPortal();
  const { id } = await portal.docker.getContainer(own).exec(command);
  const answer = await portal.raw(
    `POST /exec/${id}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
      `Content-Length: 12\r\n\r\n{"Tty":true}${smuggled}`,
  );

  expect(answer).toContain(`101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n${smuggled}`);
  expect(portal.engine.calls.map(({ call }) => call)).toEqual([
    `POST /containers/${own}/exec`,
    `POST /exec/${id}/start`,
  ]);
});

test('CONNECT is answered by nothing', async () => {
  await using portal = await openPortal();
  expect(await portal.raw('CONNECT /var/run/docker.sock HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
  expect(portal.engine.calls).toEqual([]);
});

test('streams end with the portal', async () => {
  const portal = await openPortal();
  const exec = await portal.docker.getContainer(own).exec(command);
  const stream = (await exec.start({ hijack: true, stdin: true, Tty: true })) as unknown as Socket;
  stream.on('error', () => {});
  const closed = once(stream, 'close');
  stream.resume();
  await portal[Symbol.asyncDispose]();
  await closed;
});

test('a command that the engine starts after the portal has gone is left again', async () => {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'engine-portal-'));
  resources.defer(() => rm(folder, { recursive: true }));
  const engine = resources.use(await startEngineStandIn(join(folder, 'engine.sock')));
  const socketPath = join(folder, 'portal.sock');
  const counts: number[] = [];
  const portal = await openEnginePortal({
    docker: new Docker({ socketPath: engine.socketPath }),
    ...{ container: own, socketPath },
    onStreams: (count) => counts.push(count),
  });
  const late = once(engine.events, 'late');
  const exec = await new Docker({ socketPath }).getContainer(own).exec({ ...command, Cmd: ['late'] });
  const refused = exec.start({ hijack: true, stdin: true, Tty: true }).catch(() => 'refused');
  const [run] = (await late) as [() => Socket];

  await portal[Symbol.asyncDispose]();
  await once(run(), 'close');

  expect(await refused).toBe('refused');
  expect(counts).toEqual([]);
});

async function openPortal() {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'engine-portal-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const engine = stack.use(await startEngineStandIn(join(folder, 'engine.sock')));
  const socketPath = join(folder, 'portal.sock');
  const counts: number[] = [];
  const changes = new EventEmitter();
  stack.use(
    await openEnginePortal({
      docker: new Docker({ socketPath: engine.socketPath }),
      container: own,
      socketPath,
      onStreams(count) {
        counts.push(count);
        changes.emit('count');
      },
    }),
  );
  const owned = stack.move();
  return {
    engine,
    counts,
    docker: new Docker({ socketPath }),
    async counted(count: number) {
      while (counts.at(-1) !== count) {
        await once(changes, 'count');
      }
    },
    async send(method: string, path: string, body = '') {
      const request = httpRequest({ socketPath, method, path, agent: false });
      request.end(method === 'POST' ? body : undefined);
      const [response] = await once(request, 'response');
      return { status: response.statusCode as number, body: await text(response) };
    },
    /** Sends bytes as they are, and then their end; everything that is answered. */
    async raw(bytes: string) {
      const socket = connect({ path: socketPath, allowHalfOpen: true });
      socket.on('error', () => {});
      socket.end(bytes);
      return await text(socket);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
