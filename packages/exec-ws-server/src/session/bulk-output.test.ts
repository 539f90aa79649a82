import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runService } from '@docker-worker/service-kit/testing/run-service';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startContainer, type TestContainer } from '../testing/container.ts';
import { TestSocket } from '../testing/socket.ts';
import { startServer } from '../testing/start-server.ts';
import { v1Client } from '../testing/v1-client.ts';

let container: TestContainer;
beforeAll(async () => {
  container = await startContainer();
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

const main = join(import.meta.dirname, '..', 'main.ts');
const megabyte = 1_000_000;
const command = (count: number) =>
  `tty=false&${['head', '-c', String(count), '/dev/zero'].map((part) => `command=${part}`).join('&')}`;

test('99 MB for a reader that stops again and again arrive whole, and the server grows by less than 16 MiB', async () => {
  await using service = runService(main, ['--control', 'stdin']);
  const secret = 'abcdefghijklmnopqrstuv';
  service.send({
    type: 'configure',
    config: { container: container.id, secret, unrestricted: true, port: 0, adminPort: 0 },
  });
  const ready = await service.reply();
  const { port, adminPort } = ready as { port: number; adminPort: number };
  const address = `ws://127.0.0.1:${port}/${secret}/shell.sock?${numbers}`;
  const wanted = { received: lines * lineBytes, hash: hashOfNumbers() };

  // The first session pays for the code that is compiled on the way.
  expect(await readSlowly(address, () => residentBytes(adminPort))).toMatchObject(wanted);
  const before = await residentBytes(adminPort);
  const { most, ...read } = await readSlowly(address, () => residentBytes(adminPort));

  expect(read).toEqual(wanted);
  expect(most - before).toBeLessThan(16 * 1024 * 1024);
});

/** Every line is another one, so that nothing can be lost, doubled or overwritten unseen. */
const lines = 11_000_000;
const first = 10_000_000;
const lineBytes = 9;
const numbers = `tty=false&command=seq&command=${first}&command=${first + lines - 1}`;

function hashOfNumbers(): string {
  const hash = createHash('sha256');
  const batch = 100_000;
  for (let start = first; start < first + lines; start += batch) {
    hash.update(Array.from({ length: batch }, (_, index) => `${start + index}\n`).join(''));
  }
  return hash.digest('hex');
}

/** Reads a session to its end with pauses, in which it looks at what the server occupies. */
async function readSlowly(
  address: string,
  measure: () => Promise<number>,
): Promise<{ received: number; hash: string; most: number }> {
  const { socket, closed } = await TestSocket.open(address);
  const hash = createHash('sha256');
  let received = 0;
  let sincePause = 0;
  let most = 0;
  socket.removeAllListeners('message');
  socket.on('message', (data: Buffer) => {
    if (data[0] === 1) {
      received += data.length - 1;
      hash.update(data.subarray(1));
    }
    sincePause += data.length;
    if (sincePause > 4 * megabyte) {
      sincePause = 0;
      socket.pause();
      void Promise.all([measure(), setTimeout(30)]).then(([bytes]) => {
        most = Math.max(most, bytes);
        socket.resume();
      });
    }
  });
  expect((await closed).code).toBe(1000);
  return { received, hash: hash.digest('hex'), most };
}

async function residentBytes(adminPort: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]);
}

test('a reader that does not read at all leaves less than 16 MiB in the server', async () => {
  await using server = await startServer(container.id);
  const socket = await TestSocket.open(`${server.v1}?${command(100 * megabyte)}`);
  await socket.until(() => socket.messages.length > 0);
  socket.socket.pause();
  const before = process.memoryUsage().arrayBuffers;
  // Nothing happens any more: there is no event to wait for.
  await setTimeout(1_000);

  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  socket.socket.terminate();
});

test('the usual client gets 40 MB through pauses and resumes of its own', async () => {
  await using server = await startServer(container.id);
  const client = v1Client(server.v1, ['head', '-c', String(40 * megabyte), '/dev/zero']);
  await client.execute();
  const exited = once(client, 'exit');
  let received = 0;
  for await (const chunk of client.stdout) {
    received += chunk.length;
    if (received % (5 * megabyte) < chunk.length) {
      await setTimeout(5);
    }
  }

  expect(await exited).toEqual([0]);
  expect(received).toBe(40 * megabyte);
});
