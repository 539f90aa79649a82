import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  answerJson,
  endToEndHeaders,
  errorBody,
  type Logger,
  type RelayOutcome,
  type RequestMetrics,
  rawPath,
  relay,
  smallBody,
} from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import { IssuerError } from '../authorize/issuer-error.ts';
import type { RoutedRequest, RouteTable } from './route-table.ts';

export interface ForwarderOptions {
  routes: RouteTable;
  dispatcher: Dispatcher;
  metrics: RequestMetrics;
  logger: Logger;
}

/** Largest body that is kept to be sent once more with a fresh token. */
const keptBodyBytes = 64 * 1024;

/** Seconds after which a client may try again when the issuer is in trouble. */
const retryAfter = '5';

/** How upstreams answer a token that they do not take; RelengAPI says 400. */
const refusals = new Set([400, 401]);

type Outcome = Pick<RelayOutcome, 'status' | 'responseBytes' | 'error'>;

/** Forwards each request along its route, with the route's authorization in place of the client's. */
export class Forwarder {
  readonly #options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { routes, metrics, logger } = this.#options;
    const method = request.method ?? '';
    const startedAt = performance.now();
    const routed = routes.find(rawPath(request.url ?? '/'));
    const outcome = routed
      ? await this.#send(routed, request, response)
      : this.#answer(response, 404, errorBody('NoSuchRoute', noSuchRoute(routes), method));

    const { status, responseBytes, error } = outcome;
    const seconds = (performance.now() - startedAt) / 1000;
    const requestBytes = Number(request.headers['content-length'] ?? 0);
    const route = routed ? routed.route.prefix || '/' : 'none';
    metrics.observe({ method, status, route, seconds, requestBytes, responseBytes });
    if (error) logger.warn({ method, route, status, err: error }, 'the request failed');
    else logger.info({ method, route, status, seconds }, 'forwarded');
  }

  async #send(routed: RoutedRequest, request: IncomingMessage, response: ServerResponse): Promise<Outcome> {
    const { authorizer } = routed.route;
    const { refused } = authorizer;
    try {
      const body = refused ? await smallBody(request, keptBodyBytes) : undefined;
      const mayRepeat = refused !== undefined && (body !== undefined || !hasUnknownBody(request));
      const header = await this.#authorize(routed, request);
      const first = await this.#relay(routed, request, response, { header, body, mayRepeat });
      if (!first.discarded || header === undefined) return first;
      refused?.(header);
      const fresh = await this.#authorize(routed, request);
      return await this.#relay(routed, request, response, { header: fresh, body, mayRepeat: false });
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      const { statusCode, code, message } = error;
      const headers: Record<string, string> = statusCode === 503 ? { 'Retry-After': retryAfter } : {};
      const outcome = this.#answer(
        response,
        statusCode,
        errorBody(code, message, request.method ?? ''),
        headers,
      );
      return { ...outcome, error };
    }
  }

  async #authorize({ route, origin, path }: RoutedRequest, request: IncomingMessage) {
    const { hostname, port, protocol } = new URL(origin);
    return route.authorizer.header({
      method: request.method ?? '',
      host: hostname,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      path,
    });
  }

  #relay(
    { origin, path }: RoutedRequest,
    request: IncomingMessage,
    response: ServerResponse,
    { header, body, mayRepeat }: { header: string | undefined; body: Buffer | undefined; mayRepeat: boolean },
  ): Promise<RelayOutcome> {
    const dropped = new Set(header === undefined ? ['host'] : ['host', 'authorization']);
    const headers = endToEndHeaders(request.rawHeaders, dropped);
    if (header !== undefined) headers.push('Authorization', header);
    return relay(request, response, {
      dispatcher: this.#options.dispatcher,
      origin,
      path,
      headers,
      body,
      discards: (status) => mayRepeat && refusals.has(status),
    });
  }

  #answer(response: ServerResponse, status: number, body: object, headers?: Record<string, string>): Outcome {
    answerJson(response, status, body, headers);
    return { status, responseBytes: 0 };
  }
}

function hasUnknownBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined;
}

function noSuchRoute(routes: RouteTable): string {
  return `no route for this path; there are routes for ${routes.prefixes.join(', ')}`;
}
