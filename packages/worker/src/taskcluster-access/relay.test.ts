import { connect, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { expect, test } from '@jest/globals';
import { Relay } from './relay.ts';
import { processEngine } from './testing/process-engine.ts';

const subnets = '10.200.0.0/16';
const common = { worker: 'worker', subnets, image: 'image' };

test('connections to the relay come to this host, side by side, each with all its bytes', async () => {
  await using engine = await processEngine();
  await using echo = await echoing();
  const port = await freePort();
  const taskcluster = Promise.withResolvers<number>();
  await using _relay = await Relay.start({
    ...{ ...common, engine: engine.engine, port, taskcluster: taskcluster.promise },
    onEnd() {},
  });
  const sent = Array.from({ length: 8 }, (_, at) => Buffer.alloc(3_000_000 + at, at));

  const answers = sent.map(async (bytes) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(bytes);
    return await buffer(socket);
  });
  // They have come before anybody knows where they are to be brought.
  taskcluster.resolve(echo.port);

  for (const [at, answer] of (await Promise.all(answers)).entries()) {
    expect(answer.equals(sent[at] as Buffer)).toBe(true);
  }
});

test('a connection that is reset at one end is over at the other', async () => {
  await using engine = await processEngine();
  const accepted = Promise.withResolvers<Socket>();
  await using server = await listening(createServer((socket) => accepted.resolve(socket)));
  const port = await freePort();
  await using _relay = await Relay.start({
    ...{ ...common, engine: engine.engine, port, taskcluster: Promise.resolve(server.port) },
    onEnd() {},
  });
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write('hello');

  const inner = await accepted.promise;
  // With an error before it, or without.
  const over = new Promise((resolve) => socket.once('close', resolve));
  inner.resetAndDestroy();

  await over;
});

test('it is on a network of its own, and joins those of runs under the name that they know', async () => {
  await using engine = await processEngine();
  const relay = await Relay.start({
    ...{ ...common, engine: engine.engine, port: await freePort(), taskcluster: Promise.resolve(1) },
    onEnd() {},
  });
  const joined = await relay.join('of-run', 'local-taskcluster');
  await joined[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();

  expect(engine.networks).toEqual([
    expect.stringMatching(/^POST \/networks\/create .*"docker-worker.task-run":"relay"/),
    'POST /networks/of-run/connect {"Container":"container","EndpointConfig":{"Aliases":["local-taskcluster"]}}',
    'POST /networks/of-run/disconnect {"Container":"container","Force":true}',
    'DELETE /networks/own ',
  ]);
});

test('a relay that cannot listen is an error with its words, and one that ends tells', async () => {
  await using engine = await processEngine();
  await using taken = await listening(createServer(), { host: '::', port: 0 });
  const ended = Promise.withResolvers<void>();

  const started = Relay.start({
    ...{ ...common, engine: engine.engine, port: taken.port, taskcluster: Promise.resolve(1) },
    onEnd: ended.resolve,
  });

  await expect(started).rejects.toThrow('EADDRINUSE');
  await ended.promise;
});

async function echoing() {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  return await listening(server);
}
