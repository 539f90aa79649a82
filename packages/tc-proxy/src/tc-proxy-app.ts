import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  errorBody,
  type Logger,
  parseHttpUrl,
  type RequestMetrics,
  rawPath,
  withoutSchemas,
} from '@docker-worker/service-kit';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { bewitRoute } from './bewit-route.ts';
import type { CredentialHolder } from './credential-holder.ts';
import { credentialsRoute } from './credentials-route.ts';
import { Forwarder } from './forwarder.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { TargetGuard } from './target-guard.ts';
import type { Upstreams } from './upstreams.ts';
import { isWebSocketRequest } from './web-socket-tunnel.ts';

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

/** Largest header block of a request: more than the 16 KiB that Node takes, for long scope lists and cookies. */
const maxHeaderSize = 132 * 1024;

const serverOptions = {
  maxHeaderSize,
  shouldUpgradeCallback: isWebSocketRequest,
  requestTimeout: 0,
  // As Fastify has it: longer than clients and load balancers keep idle connections.
  keepAliveTimeout: 72_000,
  // Requests without a body get no stream for it.
  optimizeEmptyRequests: true,
};

/** The whole proxy as a Fastify app that is not listening yet. */
export function createTcProxyApp(options: TcProxyAppOptions): FastifyInstance {
  const root = parseHttpUrl(options.rootUrl);
  if (!root) throw new TypeError('rootUrl is not an http or https URL');

  const forwarder = new Forwarder({
    root,
    credentials: options.credentials,
    upstreams: options.upstreams,
    guard: options.guard,
    retry: options.retry,
    metrics: options.metrics,
    logger: options.logger,
    // What has become idle now must not hold up the close until its keep-alive time is over.
    onIdle: () => setImmediate(() => app.server.closeIdleConnections()),
  });

  const app = Fastify({
    ...withoutSchemas,
    logger: false,
    exposeHeadRoutes: false,
    serverFactory: (handle) =>
      http.createServer(serverOptions, (request, response) => {
        const { method, url = '/' } = request;
        // Fastify's router would decode the client's bytes, refuse some of them, and take its time.
        if (routeName(method, url, options.credentialsEndpoint)) handle(request, response);
        else forward(url, request, response);
      }),
    rewriteUrl: ({ method, url = '/' }) => routeName(method, url, options.credentialsEndpoint) ?? '/none',
  });

  function forward(url: string, request: IncomingMessage, response: ServerResponse): void {
    try {
      forwarder.forward(url, request, response);
    } catch (error) {
      // Nobody else answers, and a client must not wait for ever.
      options.logger.error({ err: error }, 'a request could not be handled');
      response.destroy();
    }
  }

  // Node would silently drop the headers beyond a limit; the size of the block is the limit here.
  app.server.maxHeadersCount = 0;
  app.server.on('connect', (_, socket: Socket) => socket.end(connectRefusal));

  for (const method of http.METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }

  app.addHook('preClose', async () => forwarder.drain());
  app.server.on('upgrade', (request, socket, head) =>
    forwarder.upgrade(request.url ?? '/', request, socket, head),
  );

  app.options('/server', (_, reply) => reply.send());
  app.register(bewitRoute, { credentials: options.credentials });
  app.register(credentialsRoute, { credentials: options.credentials, logger: options.logger });

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
    if (status >= 500) options.logger.error({ err: error }, 'a request could not be handled');
    const [code, message] =
      status >= 500 ? ['InternalServerError', 'internal error'] : ['InputError', error.message];
    return reply.code(status).send(errorBody(code, message, request.method));
  });
  return app;
}

/** The route of our own that a request is for; all others are forwarded. */
function routeName(
  method: string | undefined,
  rawUrl: string,
  credentialsEndpoint: boolean,
): string | undefined {
  if (rawUrl === '*' && method === 'OPTIONS') return '/server';
  const path = rawUrl.startsWith('/') ? rawUrl : rawPath(rawUrl);
  if (isRoute(path, '/bewit')) return '/bewit';
  if (credentialsEndpoint && isRoute(path, '/credentials')) return '/credentials';
  return undefined;
}

function isRoute(path: string, route: string): boolean {
  return path.startsWith(route) && (path.length === route.length || /^[?#]/.test(path.slice(route.length)));
}

const connectRefusal = 'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
