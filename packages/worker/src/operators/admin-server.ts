import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { Registry } from 'prom-client';
import { UserError } from '../user-error.ts';
import { statusPage } from './status-page.ts';
import type { WorkerStatus } from './worker-status.ts';

export interface AdminServerOptions {
  address: string;
  /** 0 lets the system choose. */
  port: number;
  registry: Registry;
  status(): Promise<WorkerStatus>;
}

/**
 * What operators see of a worker: `/status`, as a page for browsers and as JSON for everyone else, `/metrics`
 * for Prometheus, `/live` while the process runs, and `/ready` while it claims tasks.
 *
 * @throws UserError when it cannot listen there
 */
export async function openAdminServer({
  address,
  port,
  registry,
  status,
}: AdminServerOptions): Promise<{ port: number } & AsyncDisposable> {
  const server = fastify({ forceCloseConnections: true });
  server.get('/live', (_request, reply) => reply.type('text/plain').send('live\n'));
  server.get('/ready', async (_request, reply) => {
    const { worker } = await status();
    const ready = worker.state === 'claiming';
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ready\n' : `not ready: ${worker.state}\n`);
  });
  server.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  server.get('/status.json', () => status());
  server.get('/status', async (request, reply) => {
    const current = await status();
    return request.headers.accept?.includes('text/html')
      ? reply
          .type('text/html; charset=utf-8')
          .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
          .send(statusPage(current))
      : current;
  });
  await server.listen({ host: address, port }).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      `The status cannot be served at ${address} port ${port} (${error.code ?? error.message}): set another "admin.port", or 0 for any free one.`,
      { cause: error },
    );
  });
  // Being looked at must not keep a worker alive that has ended.
  server.server.unref();
  return {
    port: (server.server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => server.close(),
  };
}
