import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';

export interface HostileSocketOptions {
  /** Starts the service on loopback. */
  open(): Promise<AsyncDisposable & { port: number }>;
  /** Of a GET that it answers. */
  path: string;
  /** The status of that answer; default 200. */
  status?: number;
}

/** Requests on one connection. */
const aheadCount = 100_000;

/** The tests of what a program can do to a service over TCP, byte by byte; the same for each of them. */
export function testHostileSockets({ open, path, status = 200 }: HostileSocketOptions): void {
  const answered = new RegExp(`HTTP/1\\.1 ${status} `, 'g');
  const request = (more = '') => `GET ${path} HTTP/1.1\r\nHost: service\r\n${more}\r\n`;

  test('who ends their side after the request gets the answer', async () => {
    await using service = await open();

    const answer = await exchange(service.port, request('Connection: close\r\n'));

    expect(answer.match(answered)).toHaveLength(1);
  });

  test('who ends their side after two requests gets two answers', async () => {
    await using service = await open();

    const answer = await exchange(service.port, request() + request());

    expect(answer.match(answered)).toHaveLength(2);
  });

  test.each(['Host: service', 'host: other'])('a second %s is refused', async (host) => {
    await using service = await open();

    const answer = await exchange(service.port, request(`${host}\r\n`));

    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*there are two Host headers/);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test.each(['ü', '\x80', '\xff'])('the byte %j in a URL is refused, and why is said', async (byte) => {
    await using service = await open();

    const answer = await exchange(service.port, request().replace(path, `${path}?${byte}`));

    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*must be percent-encoded/);
  });

  test('others are served beside one who sends requests and reads no answer', async () => {
    await using service = await open();
    await using greedy = await openSocket(service.port);
    greedy.socket.pause().write(request().repeat(aheadCount));

    for (let round = 0; round < 20; round++) {
      const answer = await exchange(service.port, request('Connection: close\r\n'));
      expect(answer.match(answered)).toHaveLength(1);
    }
  });

  test('requests that were sent ahead are all answered, in their order', async () => {
    await using service = await open();
    const count = 3_000;

    const answer = await exchange(service.port, request().repeat(count));

    expect(answer.match(answered)).toHaveLength(count);
  });
}

/** Sends the bytes and ends its side, as `nc` does; resolves with all that comes back. */
export async function exchange(port: number, bytes: string): Promise<string> {
  await using client = await openSocket(port);
  client.socket.end(Buffer.from(bytes, 'latin1'));
  return Buffer.concat(await client.socket.toArray()).toString('latin1');
}

async function openSocket(port: number): Promise<AsyncDisposable & { socket: Socket }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  socket.on('error', () => {});
  return {
    socket,
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}
