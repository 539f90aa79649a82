import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listening } from '../testing/listening.ts';
import { readInBulk } from './bulk-reader.ts';

const switching = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulk-reader-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('bytes that come with the head of the answer come first, and not before they are asked for', async () => {
  await using engine = await startEngine((client) => {
    client.write(`${switching}early, `);
    client.once('data', () => client.end('late'));
  });
  const read: string[] = [];
  const bulk = readInBulk(await engine.upgraded(), (bytes) => read.push(bytes.toString()) > 0);
  bulk.write('go on');

  await new Promise(setImmediate);
  expect(read).toEqual([]);
  bulk.resume();
  await once(bulk, 'close');

  expect(read.join('')).toBe('early, late');
});

test('a reader that stops after each piece gets all bytes in their order', async () => {
  const bytes = Buffer.alloc(5_000_000, Buffer.from(Array.from({ length: 251 }, (_, index) => index)));
  await using engine = await startEngine((client) =>
    client.end(Buffer.concat([Buffer.from(switching), bytes])),
  );
  const read: Buffer[] = [];
  const bulk = readInBulk(await engine.upgraded(), (piece) => {
    read.push(Buffer.from(piece));
    setImmediate(() => bulk.resume());
    return false;
  });

  bulk.resume();
  await once(bulk, 'close');

  expect(Buffer.concat(read).equals(bytes)).toBe(true);
});

test('what is no socket, such as the output of a program, is read as well', async () => {
  const program = new PassThrough({ allowHalfOpen: false });
  const read: string[] = [];
  const bulk = readInBulk(program, (bytes) => {
    read.push(bytes.toString());
    setImmediate(() => bulk.resume());
    return false;
  });
  for (const text of ['one, ', 'two, ', 'three']) program.write(text);
  program.end();

  await new Promise(setImmediate);
  expect(read).toEqual([]);
  bulk.resume();
  await once(bulk, 'close');

  expect(read.join('')).toBe('one, two, three');
});

test('nothing is read while the reader has stopped', async () => {
  let sent = 0;
  const stuck = Promise.withResolvers<void>();
  await using engine = await startEngine((client) => {
    client.write(switching);
    while (client.write(Buffer.alloc(65_536), () => (sent += 65_536)));
    stuck.resolve();
  });
  const bulk = readInBulk(await engine.upgraded(), () => false);
  bulk.on('error', () => {});

  await stuck.promise;
  await new Promise(setImmediate);
  expect(sent).toBeLessThan(2_000_000);
  bulk.destroy();
  await once(bulk, 'close');
});

/** A server that speaks HTTP just far enough to switch protocols. */
async function startEngine(serve: (client: Socket) => void) {
  const path = join(folder, `${Math.random()}.sock`);
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.once('data', () => serve(client));
  });
  return {
    ...(await listening(server, { path })),
    async upgraded(): Promise<Socket> {
      const asking = request({ socketPath: path, headers: { Connection: 'Upgrade', Upgrade: 'tcp' } }).end();
      const [, socket, head] = (await once(asking, 'upgrade')) as [unknown, Socket, Buffer];
      if (head.length > 0) socket.unshift(head);
      return socket;
    },
  };
}
