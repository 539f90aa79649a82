import type { AddressInfo } from 'node:net';
import { type PageSource, runPages } from '@docker-worker/run-page';
import { registerProcessMetrics } from '@docker-worker/service-kit/process-metrics';
import fastify from 'fastify';
import type { Registry } from 'prom-client';
import { UserError } from '../user-error.ts';
import type { WorkerStatus } from './worker-status.ts';

export interface AdminServerOptions {
  address: string;
  /** 0 lets the system choose. */
  port: number;
  registry: Registry;
  status(): Promise<WorkerStatus>;
  /** What people see. */
  pages: PageSource;
}

/**
 * What operators see of a worker: pages of it and of its runs, `/status`, which is JSON and leads browsers to the pages, `/metrics`
 * for Prometheus, `/live` while the process runs, and `/ready` while it claims tasks.
 *
 * @throws UserError when it cannot listen there
 */
export async function openAdminServer({
  address,
  port,
  registry,
  status,
  pages,
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
  server.get('/metrics', async (_request, reply) => {
    registerProcessMetrics(registry);
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  server.get('/status.json', () => status());
  server.get('/status', async (request, reply) => {
    return request.headers.accept?.includes('text/html') ? reply.redirect('/', 303) : await status();
  });
  await server.register(runPages, { source: pages });
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
