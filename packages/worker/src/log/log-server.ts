import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fastify from 'fastify';
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
    const bytes = Readable.from(log.read(AbortSignal.any([gone.signal, closing.signal])));
    pipeline(bytes, reply.raw).catch(() => {
      // The reader has left.
    });
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
