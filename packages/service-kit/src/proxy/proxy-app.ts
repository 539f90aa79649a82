import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { errorBody } from '../server/error-body.ts';
import { createServiceApp } from '../server/service-app.ts';
import type { Logger } from '../telemetry/service-logger.ts';

export interface ProxyAppOptions {
  logger: Logger;
  /** Gets every request, with the request target as the client sent it; it answers on Node's own response. */
  forward(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
}

/**
 * A Fastify app that hands every request of any method, body untouched, to one function. Its `close`
 * waits for requests in flight; connections are kept alive until then.
 */
export function createProxyApp({ logger, forward }: ProxyAppOptions): FastifyInstance {
  const app = createServiceApp({
    fastify: {
      exposeHeadRoutes: false,
      // The router never sees the client's bytes, which it would decode and refuse.
      rewriteUrl: () => '/',
    },
  });
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
