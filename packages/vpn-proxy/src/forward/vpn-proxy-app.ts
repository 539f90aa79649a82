import type { IncomingMessage } from 'node:http';
import {
  createReverseProxy,
  errorBody,
  type Logger,
  RefusedRequest,
  type RequestMetrics,
  rawPath,
  relayUpgrade,
  responseFor,
  type Tunnels,
  type UpstreamRequest,
} from '@docker-worker/service-kit';
import type { FastifyInstance } from 'fastify';
import type { Dispatcher } from 'undici';
import { describe, type Gate } from './gate.ts';
import type { HttpTarget } from './http-target.ts';
import { outgoingHeaders, relativeLocation } from './outgoing-headers.ts';

export interface VpnProxyAppOptions {
  target: HttpTarget;
  gate: Gate;
  /** The connections to use at the moment. */
  dispatcher(): Dispatcher;
  /** Connections that have stopped to be HTTP, WebSockets among them. */
  tunnels: Tunnels;
  metrics: RequestMetrics;
  logger: Logger;
}

/** Seconds after which a client may try again while the tunnel is down. */
const retryAfter = '2';

/** The whole proxy as a Fastify app that is not listening yet. */
export function createVpnProxyApp(options: VpnProxyAppOptions): FastifyInstance {
  const { target, gate, dispatcher, tunnels, metrics, logger } = options;
  const { origin, host, base } = target;

  const app = createReverseProxy({
    dispatcher,
    upstreamRequest,
    rewriteAnswer: (headers) => relativeLocation(headers, origin, base),
    metrics,
    logger,
  });
  app.server.on('upgrade', (request, socket, head) => {
    // Without a listener an error, such as a reset by the client, would end the process.
    socket.on('error', () => {});
    try {
      const upstream = upstreamRequest(request, request.url ?? '/');
      relayUpgrade({ dispatcher: dispatcher(), tunnels, request, socket, head, upstream });
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      const { statusCode, headers, body } = error;
      responseFor(request, socket)
        .writeHead(statusCode, { 'Content-Type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    }
  });
  // WebSockets have no end to wait for.
  app.addHook('preClose', () => tunnels.close());
  return app;

  function upstreamRequest(request: IncomingMessage, url: string): UpstreamRequest {
    if (!gate.isOpen) {
      const { state } = gate;
      const body = { ...errorBody('TunnelNotReady', describe(state), request.method ?? ''), state };
      throw new RefusedRequest(503, body, { headers: { 'Retry-After': retryAfter } });
    }
    const headers = outgoingHeaders(request, host);
    return { route: 'upstream', origin, path: `${base}${rawPath(url)}`, headers };
  }
}
