import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { errorBody } from './gateway-error.ts';
import type { Logger } from './service-logger.ts';
import { withoutSchemas } from './without-schemas.ts';

export interface ProxyAppOptions {
  logger: Logger;
  /** Gets every request, with the request target as the client sent it; it answers on Node's own response. */
  forward(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
}

/** Largest header block of a request: more than the 16 KiB that Node takes, for long scope lists and cookies. */
const maxHeaderSize = 132 * 1024;

/**
 * A Fastify app that hands every request of any method, body untouched, to one function. Its `close`
 * waits for requests in flight; connections are kept alive until then.
 */
export function createProxyApp({ logger, forward }: ProxyAppOptions): FastifyInstance {
  const app = Fastify({
    ...withoutSchemas,
    logger: false,
    exposeHeadRoutes: false,
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize },
    // The router never sees the client's bytes, which it would decode and refuse.
    rewriteUrl: () => '/',
  });
  // Node would silently drop the headers beyond a limit; the size of the block is the limit here.
  app.server.maxHeadersCount = 0;
  app.server.on('connect', (_, socket: Socket) =>
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
  );
  for (const method of http.METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }
  let isDraining = false;
  app.addHook('preClose', async () => {
    isDraining = true;
  });
  app.route({
    method: app.supportedMethods,
    url: '/',
    // Before Fastify touches the body.
    onRequest: async (request, reply) => {
      reply.hijack();
      const { raw } = reply;
      request.raw.url = request.originalUrl;
      try {
        await forward(request.raw, raw);
      } catch (error) {
        logger.error({ err: error }, 'a request could not be handled');
        if (raw.headersSent) return void raw.destroy();
        const body = errorBody('InternalServerError', 'internal error', request.method);
        raw.writeHead(500, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
      }
      request.raw.resume();
      // What has become idle now must not hold up the close until its keep-alive time is over.
      if (isDraining) setImmediate(() => app.server.closeIdleConnections());
    },
    handler: () => {},
  });
  return app;
}
