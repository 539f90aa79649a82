import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { request } from 'undici';
import { startServer } from '../testing/http-server.ts';
import { createUpstreamDispatcher } from './upstream-dispatcher.ts';

async function startHolder() {
  const held: ServerResponse[] = [];
  const server = await startServer((_, response) => void held.push(response));
  return Object.assign(server, { release: () => held.shift()?.end('done') });
}

function connections(waiting: { requests: number; ms: number }) {
  const dispatcher = createUpstreamDispatcher({ connections: 1, waiting });
  return Object.assign(dispatcher, { [Symbol.asyncDispose]: () => dispatcher.destroy() });
}

test('a request that finds too many waiting fails at once, and those that wait get their answers', async () => {
  await using upstream = await startHolder();
  await using dispatcher = connections({ requests: 1, ms: 60_000 });
  const first = request(upstream.url, { dispatcher });
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = request(upstream.url, { dispatcher });

  await expect(request(upstream.url, { dispatcher })).rejects.toThrow(
    expect.objectContaining({ code: 'UPSTREAM_BUSY' }),
  );

  for (const answer of [first, second]) {
    while (!upstream.release()) await new Promise((resolve) => setImmediate(resolve));
    expect(await (await answer).body.text()).toBe('done');
  }
});

test('a request waits for a connection no longer than it may, and is not sent afterwards', async () => {
  await using upstream = await startHolder();
  await using dispatcher = connections({ requests: 10, ms: 50 });
  const first = request(upstream.url, { dispatcher });
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));

  await expect(request(upstream.url, { dispatcher })).rejects.toThrow(
    expect.objectContaining({ code: 'UPSTREAM_BUSY' }),
  );
  upstream.release();
  await (await first).body.text();
  const third = request(upstream.url, { dispatcher });
  while (!upstream.release()) await new Promise((resolve) => setImmediate(resolve));

  expect((await third).statusCode).toBe(200);
  expect(upstream.requests()).toBe(2);
});

test('the body of a request that waited in vain is let go of', async () => {
  await using upstream = await startHolder();
  await using dispatcher = connections({ requests: 10, ms: 50 });
  const first = request(upstream.url, { dispatcher });
  while (upstream.requests() === 0) await new Promise((resolve) => setImmediate(resolve));
  const body = new Readable({ read() {} });
  body.on('error', () => {});

  await expect(request(upstream.url, { dispatcher, method: 'PUT', body })).rejects.toThrow('free in time');
  upstream.release();
  await (await first).body.text();

  if (!body.destroyed) await once(body, 'close');
});
