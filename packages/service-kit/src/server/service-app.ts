import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { createServiceServer, type ServiceServerOptions } from './service-server.ts';
import { withoutSchemas } from './without-schemas.ts';

export interface ServiceAppOptions extends ServiceServerOptions {
  fastify?: FastifyServerOptions;
}

/** A Fastify app on a service's server. Its `close` waits for requests in flight. */
export function createServiceApp({ fastify, ...options }: ServiceAppOptions = {}): FastifyInstance {
  return Fastify({
    ...withoutSchemas,
    logger: false,
    forceCloseConnections: 'idle',
    serverFactory: (handle) => createServiceServer(handle, options),
    // The server has answered already.
    clientErrorHandler: () => {},
    ...fastify,
  });
}
