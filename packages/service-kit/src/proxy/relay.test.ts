import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { Redactor } from '../telemetry/redactor.ts';
import { createLogger } from '../telemetry/service-logger.ts';
import { startServer } from '../testing/http-server.ts';
import { send } from '../testing/send.ts';
import { createProxyApp } from './proxy-app.ts';
import { type RelayOutcome, relay } from './relay.ts';
import { createUpstreamDispatcher } from './upstream-dispatcher.ts';

async function startRelay(origin: string) {
  const dispatcher = createUpstreamDispatcher();
  const outcomes: RelayOutcome[] = [];
  const logger = createLogger({ name: 'test', level: 'silent', redactor: new Redactor() });
  const app = createProxyApp({
    logger,
    async forward(request, response) {
      const path = request.url ?? '/';
      outcomes.push(await relay(request, response, { dispatcher, origin, path, headers: [] }));
    },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    port: (app.server.address() as { port: number }).port,
    outcomes,
    close: () => app.close(),
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
      await dispatcher.destroy();
    },
  };
}

test('a bulk answer that comes in small pieces arrives whole and in order', async () => {
  const body = randomBytes(2_000_003);
  await using upstream = await startServer(async (_, response) => {
    for (let at = 0; at < body.length; at += 1_400) {
      if (!response.write(body.subarray(at, at + 1_400))) await once(response, 'drain');
    }
    response.end();
  });
  await using proxy = await startRelay(upstream.url);

  const response = await fetch(`http://127.0.0.1:${proxy.port}/`);

  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
});

test('the last piece of a bulk answer does not wait for the next', async () => {
  const size = 300_000;
  await using upstream = await startServer((_, response) => {
    response.write(Buffer.alloc(size));
    setImmediate(() => response.write('tail'));
  });
  await using proxy = await startRelay(upstream.url);
  const request = httpRequest({ host: '127.0.0.1', port: proxy.port });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];

  let received = 0;
  for await (const chunk of response) {
    received += (chunk as Buffer).length;
    if (received === size + 4) break;
  }

  expect(received).toBe(size + 4);
});

test('an answer that is cut by the upstream is cut for the client too', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 }).write(Buffer.alloc(400_000));
    setTimeout(() => response.destroy(), 50);
  });
  await using proxy = await startRelay(upstream.url);

  await expect(send(proxy.port, '/')).rejects.toThrow();
});

test('a client that leaves ends the request to the upstream, with status 499 when it had no answer', async () => {
  const left = Promise.withResolvers<void>();
  await using upstream = await startServer((request) => {
    request.once('close', () => left.resolve());
  });
  await using proxy = await startRelay(upstream.url);
  const request = httpRequest({ host: '127.0.0.1', port: proxy.port }).on('error', () => {});
  request.end();
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));

  request.socket?.resetAndDestroy();
  await left.promise;

  while (proxy.outcomes.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(proxy.outcomes[0]).toMatchObject({ status: 499, discarded: false });
});

test('a close waits for the answer in flight and not for its kept connection', async () => {
  let finish = () => {};
  await using upstream = await startServer((_, response) => {
    finish = () => response.end('done');
  });
  await using proxy = await startRelay(upstream.url);
  const answer = fetch(`http://127.0.0.1:${proxy.port}/`).then((response) => response.text());
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));

  const closed = proxy.close();
  finish();

  expect(await answer).toBe('done');
  await closed;
});
