import http from 'node:http';
import { createServiceApp, errorBody, type Logger, type RequestMetrics } from '@docker-worker/service-kit';
import type { FastifyError, FastifyInstance } from 'fastify';
import { Forwarder } from './forward/forwarder.ts';
import type { RetryPolicy } from './forward/retry-policy.ts';
import { isWebSocketRequest } from './forward/web-socket-request.ts';
import { bewitRoute } from './routes/bewit-route.ts';
import { credentialsRoute } from './routes/credentials-route.ts';
import { routeName } from './routes/route-name.ts';
import type { CredentialHolder } from './signing/credential-holder.ts';
import type { TargetGuard } from './target/target-guard.ts';
import type { Upstreams } from './upstream/upstreams.ts';

export interface TcProxyAppOptions {
  rootUrl: string;
  credentials: CredentialHolder;
  credentialsEndpoint: boolean;
  /** Connections to upstreams, which verify TLS; tests pass their own. */
  upstreams: Pick<Upstreams, 'root' | 'hosts'>;
  /** Which hosts clients may name. */
  guard: TargetGuard;
  retry: RetryPolicy;
  metrics: RequestMetrics;
  logger: Logger;
}

/**
 * The whole proxy as a Fastify app that is not listening yet. Fastify has the few routes of our own; what is to be
 * forwarded is taken from the server before it is routed, because a router would decode the client's bytes, refuse some
 * of them, and take its time.
 */
export function createTcProxyApp(options: TcProxyAppOptions): FastifyInstance {
  const { credentials, credentialsEndpoint, logger } = options;
  const forwarder = new Forwarder({
    ...options,
    // What has become idle now must not hold up the close until its keep-alive time is over.
    onIdle: () => setImmediate(() => app.server.closeIdleConnections()),
  });
  const app = createServiceApp({
    beforeRouting: (route) => (request, response) => {
      const { method, url = '/' } = request;
      if (routeName(method, url, credentialsEndpoint)) route(request, response);
      else forwarder.forward(url, request, response);
    },
    shouldUpgrade: isWebSocketRequest,
    // Requests without a body get no stream for it.
    http: { optimizeEmptyRequests: true },
    fastify: {
      exposeHeadRoutes: false,
      return503OnClosing: false,
      rewriteUrl: ({ method, url = '/' }) => routeName(method, url, credentialsEndpoint) ?? '/none',
    },
  });
  app.server.on('upgrade', (request, socket, head) =>
    forwarder.upgrade(request.url ?? '/', request, socket, head),
  );
  app.addHook('preClose', () => forwarder.drain());

  for (const method of http.METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }
  app.options('/server', (_, reply) => reply.send());
  app.register(bewitRoute, { credentials });
  if (credentialsEndpoint) app.register(credentialsRoute, { credentials, logger });

  // Only our own routes come here, so what finds none is one of them, asked with another method.
  app.setNotFoundHandler((request, reply) => {
    const allowed = request.url === '/bewit' ? 'POST' : 'PUT';
    const message = `this path takes only ${allowed}`;
    return reply
      .code(405)
      .header('Allow', allowed)
      .send(errorBody('MethodNotAllowed', message, request.method));
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) logger.error({ err: error }, 'a request could not be handled');
    const [code, message] =
      status >= 500 ? ['InternalServerError', 'internal error'] : ['InputError', error.message];
    return reply.code(status).send(errorBody(code, message, request.method));
  });
  return app;
}
