import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import fastify from 'fastify';
import { unlessAborted } from '../async/unless-aborted.ts';
import type { TaskLog } from './task-log.ts';

const headers = {
  'access-control-allow-origin': '*',
  'content-type': 'text/plain; charset=utf-8',
  'x-content-type-options': 'nosniff',
};

/** Serves the logs of running tasks: `GET /log/<token>`, from the first byte and for as long as the log grows. */
export interface LogServer extends AsyncDisposable {
  port: number;
  scheme: 'http' | 'https';
  /** Publishes a log under a token that cannot be guessed, until the result is disposed. */
  publish(log: TaskLog): { path: string } & Disposable;
}

/** What a reader keeps in memory; there may be hundreds of them who do not read. */
const bufferBytes = 16 * 1024;

/** With a certificate and its key, in PEM, by https. */
export async function startLogServer(
  address: string,
  port: number,
  tls?: { cert: string; key: string },
): Promise<LogServer> {
  const logs = new Map<string, TaskLog>();
  const closing = new AbortController();
  const server = fastify({ forceCloseConnections: true, https: tls ?? null });
  server.get<{ Params: { token: string } }>('/log/:token', (request, reply) => {
    const log = logs.get(request.params.token);
    if (log === undefined) {
      return reply
        .headers(headers)
        .code(404)
        .send('There is no such log on this worker; the run has ended.\n');
    }
    // Below Fastify, which would hold the headers back until the log's first byte.
    reply.hijack();
    reply.raw.writeHead(200, headers).flushHeaders();
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    void send(log, reply.raw, AbortSignal.any([gone.signal, closing.signal]));
  });
  await server.listen({ host: address, port });
  return {
    scheme: tls === undefined ? 'http' : 'https',
    port: (server.server.address() as AddressInfo).port,
    publish(log) {
      // 128 bits in the 22 characters that a slugid has.
      const token = randomBytes(16).toString('base64url');
      logs.set(token, log);
      return { path: `/log/${token}`, [Symbol.dispose]: () => void logs.delete(token) };
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server.close();
    },
  };
}

/** One piece at a time: the next one is read, into the same memory, when the reader has taken this. */
async function send(log: TaskLog, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const write = promisify<Buffer, void>(response.write.bind(response));
  try {
    for await (const bytes of log.read(signal, Buffer.allocUnsafeSlow(bufferBytes))) {
      await unlessAborted(signal, write(bytes));
    }
    response.end();
  } catch {
    // The reader has left, or the log cannot be read.
    response.destroy();
  }
}
