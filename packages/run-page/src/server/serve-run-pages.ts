import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import type { PageSource } from './page-source.ts';
import { runPages } from './run-pages.ts';

export interface ServedPages extends AsyncDisposable {
  /** Of the first page. Whoever knows it may see everything and do what the pages offer. */
  url: string;
}

/**
 * Serves pages to whoever is at this machine: on its loopback interface, where no container comes, and under an address that
 * cannot be guessed, which other users of the machine are not told.
 *
 * @param port default: any free one
 */
export async function serveRunPages(source: PageSource, port = 0): Promise<ServedPages> {
  const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 1024 } });
  const prefix = `/${randomBytes(16).toString('base64url')}`;
  await app.register(runPages, { prefix, source });
  await app.listen({ host: '127.0.0.1', port });
  const { port: listening } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${listening}${prefix}/`,
    [Symbol.asyncDispose]: () => app.close(),
  };
}
