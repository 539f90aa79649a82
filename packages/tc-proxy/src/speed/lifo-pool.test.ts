import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { expect, test } from '@jest/globals';
import { Agent, type Dispatcher } from 'undici';
import { LifoPool, type LifoPoolOptions } from './lifo-pool.ts';

/** As the proxy uses it: below an agent, whose `request` speaks to it as all of undici does. */
function pooled(options: Partial<LifoPoolOptions> = {}): Agent & AsyncDisposable {
  const agent = new Agent({
    factory: (origin, settings) => new LifoPool(origin, settings as LifoPoolOptions),
    connections: 128,
    headersTimeout: 0,
    bodyTimeout: 0,
    ...options,
  });
  return Object.assign(agent, { [Symbol.asyncDispose]: () => agent.destroy() });
}

async function ask(dispatcher: Dispatcher, origin: string, path = '/', body?: Readable): Promise<string> {
  const answer = await dispatcher.request({
    ...{ origin, path, method: body ? 'PUT' : 'GET' },
    ...(body ? { body } : {}),
  });
  return answer.body.text();
}

/** Answers with the client's port, when it is told to. */
async function startGate() {
  const waiting: { path: string | undefined; release: () => void }[] = [];
  let onArrival: (() => void) | undefined;
  const server = await startServer((request: IncomingMessage, response: ServerResponse) => {
    const release = () => response.end(String(request.socket.remotePort));
    waiting.push({ path: request.url, release });
    onArrival?.();
  });
  return {
    ...server,
    waiting,
    async arrived(count: number): Promise<void> {
      while (waiting.length < count) {
        await new Promise<void>((resolve) => {
          onArrival = resolve;
        });
      }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('the connection used last is used first', async () => {
  await using gate = await startGate();
  await using agent = pooled();
  const burst = ['/a', '/b', '/c', '/d', '/last'].map((path) => ask(agent, gate.url, path));
  await gate.arrived(5);
  const all = gate.waiting.splice(0);
  for (const { path, release } of all) if (path !== '/last') release();
  await Promise.all(burst.slice(0, 4));
  all.find(({ path }) => path === '/last')?.release();
  const hottest = await burst[4];

  const ports = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const answer = ask(agent, gate.url);
    await gate.arrived(1);
    gate.waiting.pop()?.release();
    ports.add(await answer);
  }

  expect(new Set(await Promise.all(burst)).size).toBe(5);
  expect([...ports]).toEqual([hottest]);
});

test('beyond the limit requests wait, and go out in their order', async () => {
  await using gate = await startGate();
  await using agent = pooled({ connections: 2 });
  const answers = ['/a', '/b', '/c', '/d'].map((path) => ask(agent, gate.url, path));
  await gate.arrived(2);
  const before = gate.waiting.map(({ path }) => path);

  gate.waiting[0]?.release();
  await gate.arrived(3);
  gate.waiting[1]?.release();
  await gate.arrived(4);
  for (const { release } of gate.waiting.slice(2)) release();

  expect(before.toSorted()).toEqual(['/a', '/b']);
  expect(gate.waiting.slice(2).map(({ path }) => path)).toEqual(['/c', '/d']);
  expect(new Set(await Promise.all(answers)).size).toBe(2);
});

test('requests that cannot connect fail one by one, and their places are free again', async () => {
  const port = await freePort();
  await using agent = pooled({ connections: 1 });
  const origin = `http://127.0.0.1:${port}`;

  const failures = await Promise.allSettled([1, 2, 3].map(() => ask(agent, origin)));
  const server = createServer((_, response) => response.end('here'));
  await using _listens = await listening(server, { host: '127.0.0.1', port });
  const answer = await ask(agent, origin);

  expect(failures.map((each) => (each as PromiseRejectedResult).reason.code)).toEqual(
    Array(3).fill('ECONNREFUSED'),
  );
  expect(answer).toBe('here');
});

test('a connection that the upstream closes is made anew', async () => {
  await using server = await startServer((request, response) => {
    response.setHeader('connection', 'close').end(String(request.socket.remotePort));
  });
  await using agent = pooled({ connections: 1 });

  const answers = [await ask(agent, server.url), await ask(agent, server.url), await ask(agent, server.url)];

  expect(new Set(answers).size).toBe(3);
});

test('who waits too long for a head gets an error, others do not', async () => {
  await using gate = await startGate();
  await using agent = pooled({ headersTimeout: 200, connections: 2 });
  const slow = ask(agent, gate.url, '/slow').catch((error: { code: string }) => error.code);
  await gate.arrived(1);
  for (let round = 0; round < 20; round++) {
    const quick = ask(agent, gate.url, '/quick');
    await gate.arrived(2);
    gate.waiting.pop()?.release();
    await quick;
  }

  const outcome = await slow;
  // Its place is free again, and the timer starts anew.
  const again = await ask(agent, gate.url, '/slow').catch((error: { code: string }) => error.code);

  expect([outcome, again]).toEqual(Array(2).fill('UND_ERR_HEADERS_TIMEOUT'));
});

test('a body that takes its time is no reason for a time-out', async () => {
  await using server = await startServer(async (request, response) => {
    const chunks = await request.toArray();
    response.end(Buffer.concat(chunks));
  });
  await using agent = pooled({ headersTimeout: 100 });
  async function* slowly() {
    for (const part of ['a', 'b', 'c', 'd']) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield part;
    }
  }

  expect(await ask(agent, server.url, '/', Readable.from(slowly()))).toBe('abcd');
});

test('closing lets what waits be answered; destroying fails it', async () => {
  await using gate = await startGate();
  const closing = pooled({ connections: 1 });
  const answers = [1, 2, 3].map(() => ask(closing, gate.url));
  await gate.arrived(1);
  const closed = closing.close();
  for (const count of [1, 2, 3]) {
    await gate.arrived(count);
    gate.waiting[count - 1]?.release();
  }
  await closed;
  const destroyed = pooled({ connections: 1 });
  const failures = Promise.allSettled([1, 2].map(() => ask(destroyed, gate.url)));
  await gate.arrived(4);
  await destroyed.destroy(new Error('over'));

  expect(new Set(await Promise.all(answers)).size).toBe(1);
  expect((await failures).map((each) => (each as PromiseRejectedResult).reason.message)).toEqual([
    'over',
    'over',
  ]);
});
