import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { expect, test } from '@jest/globals';
import { startLogServer } from './log-server.ts';
import { TaskLog } from './task-log.ts';

test('an unknown token gets 404 and a line for whoever reads it', async () => {
  await using served = await serveLog();

  const answer = await fetch(`${served.origin}/log/AAAAAAAAAAAAAAAAAAAAAA`);

  expect(answer.status).toBe(404);
  expect(await answer.text()).toMatch(/no such log .*\n$/);
});

test('a log can be read without its token at no other place', async () => {
  await using served = await serveLog();

  const statuses = await Promise.all(
    ['/', '/log', '/log/', `${served.path}/`].map(async (path) => (await fetch(served.origin + path)).status),
  );

  expect(statuses).toEqual([404, 404, 404, 404]);
});

test('the path of a log ends in 22 characters that are safe in a URL, other ones each time', async () => {
  await using served = await serveLog();
  using again = served.server.publish(served.log);

  expect(served.path).toMatch(/^\/log\/[A-Za-z0-9_-]{22}$/);
  expect(again.path).toMatch(/^\/log\/[A-Za-z0-9_-]{22}$/);
  expect(again.path).not.toBe(served.path);
});

test('a log is plain UTF-8 text that pages of any origin may read', async () => {
  await using served = await serveLog();
  served.log.raw('Grüße');
  await served.log.close();

  const answer = await fetch(served.origin + served.path);

  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(await answer.text()).toBe('Grüße');
});

test('bytes arrive while the log grows, and the answer ends with the log', async () => {
  await using served = await serveLog();
  served.log.raw('one');
  const { reader, next } = await follow(served);
  expect(await next()).toBe('one');
  served.log.raw('two');
  expect(await next()).toBe('two');

  await served.log.close();

  expect((await reader.read()).done).toBe(true);
});

test('somebody who comes later gets the log from its first byte', async () => {
  await using served = await serveLog();
  served.log.raw('one,');
  const early = await follow(served);
  await early.next();

  const late = await follow(served);

  expect(await late.next()).toBe('one,');
});

test('a log whose publication has ended is gone for new readers', async () => {
  await using served = await serveLog();
  const published = served.server.publish(served.log);

  published[Symbol.dispose]();

  expect((await fetch(served.origin + published.path)).status).toBe(404);
});

test('a reader that is there when the publication ends reads on to the end', async () => {
  await using served = await serveLog();
  const published = served.server.publish(served.log);
  served.log.raw('first');
  const { reader, next } = await follow({ ...served, path: published.path });
  await next();
  published[Symbol.dispose]();

  served.log.raw('last');
  expect(await next()).toBe('last');
  await served.log.close();

  expect((await reader.read()).done).toBe(true);
});

test('a reader that hangs up does not disturb the others', async () => {
  await using served = await serveLog();
  served.log.raw('a');
  const [staying, leaving] = [await follow(served), await follow(served)];
  await Promise.all([staying.next(), leaving.next()]);

  await leaving.reader.cancel();
  served.log.raw('b');

  expect(await staying.next()).toBe('b');
});

test('closing the server ends readers of a log that is still open', async () => {
  const served = await serveLog();
  served.log.raw('a');
  const call = request(served.origin + served.path).end();
  const [answer] = await once(call, 'response');
  const ended = finished(answer.resume()).catch(() => 'cut off');

  await served[Symbol.asyncDispose]();

  await ended;
  expect(answer.destroyed).toBe(true);
});

// Fastify sends the head with the first byte of a stream.
test('an answer begins at once, even when the log is still empty', async () => {
  await using served = await serveLog();

  const answer = await fetch(served.origin + served.path, { signal: AbortSignal.timeout(500) });

  expect(answer.status).toBe(200);
  await answer.body?.cancel();
});

test('a HEAD request does not wait for the end of the log', async () => {
  await using served = await serveLog();

  const answer = await fetch(served.origin + served.path, { method: 'HEAD' });

  expect(answer.status).toBe(200);
});

test('a log is served by https with the certificate that is given', async () => {
  const { cert, key } = selfSigned();
  await using served = await serveLog({ cert, key });
  served.log.worker('in secret');
  await served.log.close();

  const [answer] = await once(
    https.get({ host: '127.0.0.1', port: served.server.port, path: served.path, ca: cert }),
    'response',
  );

  expect(served.server.scheme).toBe('https');
  expect(answer.statusCode).toBe(200);
  expect(await text(answer)).toContain('in secret');
});

async function serveLog(tls?: { cert: string; key: string }) {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'log-server-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const log = stack.use(await TaskLog.open(join(folder, 'task.log')));
  const server = stack.use(await startLogServer('127.0.0.1', 0, tls));
  const { path } = stack.use(server.publish(log));
  const owned = stack.move();
  return {
    ...{ log, server, path },
    origin: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function follow({ origin, path }: { origin: string; path: string }) {
  const { body } = await fetch(origin + path);
  if (body === null) {
    throw new Error('the answer has no body');
  }
  const reader = body.getReader();
  return {
    reader,
    async next() {
      return Buffer.from((await reader.read()).value ?? '').toString();
    },
  };
}
