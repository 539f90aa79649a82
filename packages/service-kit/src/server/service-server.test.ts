import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from '@jest/globals';
import { exchange, testHostileSockets } from '../testing/hostile-sockets.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { createServiceServer, type ServiceServerOptions } from './service-server.ts';

const request = 'GET / HTTP/1.1\r\nHost: service\r\n\r\n';

async function start(handle: RequestListener, options: ServiceServerOptions = {}) {
  const server = createServiceServer(handle, options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

testHostileSockets({ open: () => start((_, response) => response.end('done')), path: '/' });

test.each([
  ['that never had a request', ''],
  ['that had one', request],
])('a connection %s is closed after a while of silence', async (_, bytes) => {
  await using service = await start((_, response) => response.end('done'), { silentMs: 100 });
  const client = connect(service.port, '127.0.0.1');
  const opened = performance.now();
  client.write(bytes);

  const text = (await client.toArray()).join('');

  expect(text.endsWith('done') || bytes === '').toBe(true);
  expect(performance.now() - opened).toBeGreaterThan(90);
});

test('one with a request in flight is not, however long the answer takes', async () => {
  const mayEnd = Promise.withResolvers<void>();
  await using service = await start(
    async (_, response) => {
      await mayEnd.promise;
      response.end('done');
    },
    { silentMs: 50 },
  );
  const client = connect(service.port, '127.0.0.1');
  client.write(request);
  // Opened one after the other, so that by their ends the silence has been long enough, twice over.
  for (let round = 0; round < 2; round++) await once(connect(service.port, '127.0.0.1').resume(), 'close');
  mayEnd.resolve();

  expect((await client.toArray()).join('')).toMatch(/^HTTP\/1\.1 200 [\s\S]*done/);
});

test('one whose client does not read its answer is closed after a while', async () => {
  const closed = Promise.withResolvers<void>();
  await using service = await start(
    (_, response) => {
      response.once('close', closed.resolve);
      response.end(Buffer.alloc(64 * 1024 * 1024));
    },
    { silentMs: 200 },
  );
  const client = connect(service.port, '127.0.0.1').pause();
  client.on('error', () => {});
  client.write(request);

  await closed.promise;

  client.destroy();
});

test('one whose client reads slowly is not', async () => {
  const size = 8 * 1024 * 1024;
  await using service = await start((_, response) => response.end(Buffer.alloc(size)), { silentMs: 400 });
  const client = connect(service.port, '127.0.0.1');
  client.end(request);
  let received = 0;
  for await (const chunk of client) {
    received += chunk.length;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }

  expect(received).toBeGreaterThan(size);
});

test('a client that ended its side and is gone is noticed after a bound', async () => {
  const closed = Promise.withResolvers<void>();
  await using service = await start((_, response) => void response.once('close', closed.resolve), {
    halfClosedMs: 100,
  });
  const client = connect(service.port, '127.0.0.1');
  client.end(request);

  await closed.promise;

  client.destroy();
});

test('a client that ended its side and is gone is noticed by what is written', async () => {
  const closed = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<() => void>();
  await using service = await start((_, response) => {
    response.once('close', closed.resolve);
    arrived.resolve(() => response.write('more'));
  });
  const client = connect(service.port, '127.0.0.1');
  client.write(request);
  const write = await arrived.promise;
  client.destroy();
  const writing = setInterval(write, 20);

  await closed.promise;

  clearInterval(writing);
});

test('handles the next request of a connection when the one before is answered', async () => {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  await using service = await start(({ url }, response) => {
    begun.push(url ?? '');
    ends.push(() => response.end());
    if (ends.length === 2) for (const end of ends) end();
    else setImmediate(() => begun.push('pause') && ends[0]?.());
  });

  await exchange(service.port, request.replace('/', '/1') + request.replace('/', '/2'));

  expect(begun).toEqual(['/1', 'pause', '/2']);
});

test('handles no more requests than a client takes answers of', async () => {
  let handled = 0;
  let ended = 0;
  await using service = await start((_, response) => {
    handled += 1;
    response.once('close', () => (ended += 1)).end(Buffer.alloc(256 * 1024));
  });
  const client = connect(service.port, '127.0.0.1').pause();
  client.on('error', () => {});
  client.write(request.repeat(100_000));

  // Serves others, so that there is time for it.
  for (let round = 0; round < 20; round++) await exchange(service.port, request.replace('GET', 'HEAD'));

  // What the buffers of the system hold.
  expect(handled - 20).toBeLessThan(100);
  expect(handled - ended).toBeLessThanOrEqual(1);
  client.destroy();
});

test('a connection that brings more than may wait is closed', async () => {
  await using service = await start(() => {}, { mostWaiting: 10 });
  const client = connect(service.port, '127.0.0.1').resume();
  client.on('error', () => {});
  client.write(request.repeat(1_000));

  await once(client, 'close');
});

test('an upgrade behind a request that is not answered is an ordinary request', async () => {
  await using service = await start((_, response) => void setTimeout(() => response.end('done'), 50));
  service.server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
  const upgrade = request.replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');

  const answers = await exchange(service.port, request + upgrade);

  expect(answers.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
});

test('the same holds over TLS', async () => {
  const tls = selfSigned();
  await using service = await start((_, response) => response.end('done'), { tls });
  const client = connectTls({ port: service.port, host: '127.0.0.1', ca: tls.cert });
  await once(client, 'secureConnect');
  client.end(request);

  expect((await client.toArray()).join('')).toMatch(/^HTTP\/1\.1 200 [\s\S]*done/);
});
