import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import fastify from 'fastify';
import type { TaskLog } from './task-log.ts';

/** Serves the logs of running tasks: `GET /log/<token>`, from the first byte and for as long as the log grows. */
export interface LogServer extends AsyncDisposable {
  port: number;
  /** Publishes a log under a token that cannot be guessed, until the result is disposed. */
  publish(log: TaskLog): { path: string } & Disposable;
}

export async function startLogServer(address: string, port: number): Promise<LogServer> {
  const logs = new Map<string, TaskLog>();
  const closing = new AbortController();
  const server = fastify({ forceCloseConnections: true });
  server.get<{ Params: { token: string } }>('/log/:token', (request, reply) => {
    const log = logs.get(request.params.token);
    reply.header('access-control-allow-origin', '*').type('text/plain; charset=utf-8');
    if (log === undefined) {
      return reply.code(404).send('There is no such log on this worker; the run has ended.\n');
    }
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return reply.send(Readable.from(log.read(AbortSignal.any([gone.signal, closing.signal]))));
  });
  await server.listen({ host: address, port });
  return {
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
