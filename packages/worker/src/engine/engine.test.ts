import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { connectEngine, EngineUnavailable, engineMessage, engineStatus } from './engine.ts';
import { EngineLost } from './engine-lost.ts';
import { engineSocket } from './testing/engine-socket.ts';

test("an error of the engine's API is told in Docker's own words", async () => {
  const error = await refusalOf(404, 'application/json', '{"message":"No such image: nope:latest\\n"}');

  expect(engineMessage(error)).toBe('No such image: nope:latest');
  expect(engineStatus(error)).toBe(404);
});

test('an answer that is not from Docker is told as it came', async () => {
  const error = await refusalOf(502, 'text/plain', 'Bad Gateway');

  expect(engineMessage(error)).toContain('Bad Gateway');
  expect(engineStatus(error)).toBe(502);
});

test('any other error is told by its message, and has no status', () => {
  expect(engineMessage(new Error('socket hang up'))).toBe('socket hang up');
  expect(engineMessage('text')).toBe('text');
  expect(engineStatus(new Error('socket hang up'))).toBeUndefined();
});

test.each([
  ['EACCES', 'join the group that owns it'],
  ['ENOENT', 'start it ("systemctl start docker"'],
  ['ECONNREFUSED', 'or choose another with DOCKER_HOST or DOCKER_CONTEXT'],
])('%s at the engine comes with what to do about it', (code, fix) => {
  const { message } = new EngineUnavailable(Object.assign(new Error('connect'), { code }));

  expect(message).toContain(code);
  expect(message).toContain(fix);
});

test('an engine that hangs is noticed within five seconds, and its return as well', async () => {
  const held: ServerResponse[] = [];
  let hangs = false;
  await using socket = await engineSocket((request, response) => {
    if (request.url?.includes('/events')) {
      response.writeHead(200).flushHeaders();
    } else if (hangs) {
      held.push(response);
    } else {
      response.end('OK');
    }
  });
  const { DOCKER_HOST } = process.env;
  process.env.DOCKER_HOST = `unix://${socket.socketPath}`;
  try {
    const told: PromiseWithResolvers<boolean>[] = [Promise.withResolvers(), Promise.withResolvers()];
    let changes = 0;
    await using engine = await connectEngine((silent) => told[changes++]?.resolve(silent));
    hangs = true;
    const hung = Date.now();

    expect(await told[0]?.promise).toBe(true);
    expect(Date.now() - hung).toBeLessThan(5_000);
    expect(engine.silent).toBe(true);
    expect(engine.lost.aborted).toBe(false);

    hangs = false;
    for (const response of held) {
      response.end('OK');
    }
    expect(await told[1]?.promise).toBe(false);
    expect(engine.silent).toBe(false);
  } finally {
    if (DOCKER_HOST === undefined) {
      delete process.env.DOCKER_HOST;
    } else {
      process.env.DOCKER_HOST = DOCKER_HOST;
    }
  }
}, 20_000);

test.each(['in the middle of its answer', 'in order'])(
  'an engine that ends its stream of events %s is lost at once, even if it answers again',
  async (how) => {
    let events: ServerResponse | undefined;
    await using socket = await engineSocket((request, response) => {
      if (request.url?.startsWith('/events')) {
        events = response;
        response.writeHead(200).flushHeaders();
      } else {
        response.end('OK');
      }
    });
    process.env.DOCKER_HOST = `unix://${socket.socketPath}`;
    try {
      await using engine = await connectEngine();
      const ended = performance.now();
      if (how === 'in order') {
        events?.end();
      } else {
        events?.destroy();
      }

      await once(engine.lost, 'abort');

      expect(performance.now() - ended).toBeLessThan(1_000);
      expect(engine.lost.reason).toBeInstanceOf(EngineLost);
    } finally {
      delete process.env.DOCKER_HOST;
    }
  },
);

/** What dockerode makes of an answer. */
async function refusalOf(status: number, type: string, body: string): Promise<unknown> {
  await using server = await startServer((_request, response) => {
    response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body);
  });
  const docker = new Docker({ protocol: 'http', host: '127.0.0.1', port: server.port });
  return await docker
    .getImage('nope')
    .inspect()
    .catch((error: unknown) => error);
}
