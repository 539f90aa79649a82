import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  answerJson,
  createProxyApp,
  errorBody,
  type Logger,
  type RequestMetrics,
  rawPath,
  relay,
} from '@docker-worker/service-kit';
import type { FastifyInstance } from 'fastify';
import type { Dispatcher } from 'undici';
import { describe, type Gate } from './gate.ts';
import type { HttpTarget } from './http-target.ts';
import { outgoingHeaders, relativeLocation } from './outgoing-headers.ts';
import { refuse, type UpgradeRelay } from './upgrade-relay.ts';

export interface VpnProxyAppOptions {
  target: HttpTarget;
  gate: Gate;
  /** The connections to use at the moment. */
  dispatcher(): Dispatcher;
  upgrades: UpgradeRelay;
  metrics: RequestMetrics;
  logger: Logger;
}

/** Seconds after which a client may try again while the tunnel is down. */
const retryAfter = '2';

/** The whole proxy as a Fastify app that is not listening yet. */
export function createVpnProxyApp(options: VpnProxyAppOptions): FastifyInstance {
  const { target, gate, dispatcher, upgrades, metrics, logger } = options;
  const { origin, host, base } = target;

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    const startedAt = performance.now();
    const { status, responseBytes, error } = gate.isOpen
      ? await relay(request, response, {
          dispatcher: dispatcher(),
          origin,
          path: `${base}${rawPath(request.url ?? '/')}`,
          headers: outgoingHeaders(request, host),
          rewriteAnswer: (headers) => relativeLocation(headers, origin, base),
        })
      : refuseRequest(method, response);
    const seconds = (performance.now() - startedAt) / 1000;
    const requestBytes = Number(request.headers['content-length'] ?? 0);
    const route = status === 503 && !gate.isOpen ? 'none' : 'upstream';
    metrics.observe({ method, status, route, seconds, requestBytes, responseBytes });
    if (error) logger.warn({ method, status, err: error }, 'the upstream failed');
    else logger.debug({ method, status, seconds }, 'forwarded');
  }

  function refuseRequest(method: string, response: ServerResponse) {
    answerJson(response, 503, notReady(method), { 'Retry-After': retryAfter });
    return { status: 503, responseBytes: 0, error: undefined };
  }

  function notReady(method: string): object {
    const { state } = gate;
    return { ...errorBody('TunnelNotReady', describe(state), method), state };
  }

  const app = createProxyApp({ logger, forward });
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (gate.isOpen) upgrades.relay(request, socket, head);
    else refuse(socket, 503, notReady(request.method ?? ''), ['Retry-After', retryAfter]);
  });
  return app;
}
