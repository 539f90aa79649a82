import type { RequestListener } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { createServiceServer, type ServiceServerOptions } from './service-server.ts';

export interface ServiceAppOptions extends ServiceServerOptions {
  /** Gets Fastify's router and gives what the server calls in its place. */
  beforeRouting?(route: RequestListener): RequestListener;
  fastify?: FastifyServerOptions;
}

/** A Fastify app on a service's server. Its `close` waits for requests in flight. */
export function createServiceApp({
  beforeRouting,
  fastify,
  ...options
}: ServiceAppOptions = {}): FastifyInstance {
  return Fastify({
    logger: false,
    forceCloseConnections: 'idle',
    serverFactory: (route) => createServiceServer(beforeRouting?.(route) ?? route, options),
    // The server has answered already.
    clientErrorHandler: () => {},
    ...fastify,
  });
}
