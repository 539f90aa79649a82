import type { IncomingMessage, ServerResponse } from 'node:http';
import { endToEndHeaders, type Logger, type RequestMetrics } from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import type { CredentialHolder } from './credential-holder.ts';
import { Exchange, type ExchangeOutcome } from './exchange.ts';
import { hawkHeader } from './hawk-header.ts';
import type { HttpUrl } from './http-url.ts';
import { hasBody, RequestBody } from './request-body.ts';
import { type NoTarget, resolveTarget, routablePath, type Target } from './resolve-target.ts';

export interface ForwarderOptions {
  root: HttpUrl;
  credentials: CredentialHolder;
  dispatcher: Dispatcher;
  metrics: RequestMetrics;
  logger: Logger;
  /** Called after each request, while the proxy drains. */
  onIdle(): void;
}

/** What a client may not decide: who asks, where, and what our own debug headers say. */
const replacedHeaders = new Set([
  'authorization',
  'host',
  'x-taskcluster-endpoint',
  'x-taskcluster-authorized-scopes',
  'x-taskcluster-proxy-version',
  'x-taskcluster-proxy-revision',
  'x-taskcluster-proxy-perm-clientid',
  'x-taskcluster-proxy-temp-clientid',
  'x-taskcluster-proxy-temp-scopes',
]);

/** Signs requests and forwards them, byte for byte as far as path, query and body go. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  #isDraining = false;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** From now on each answer closes its connection. */
  drain(): void {
    this.#isDraining = true;
  }

  forward(rawUrl: string, request: IncomingMessage, response: ServerResponse): void {
    const target = resolveTarget(routablePath(rawUrl), this.#options.root);
    if (!('origin' in target)) {
      this.#refuse(target, request, response);
    } else if (asksForWebSocket(request)) {
      this.#refuse({ status: 501, text: 'WebSocket connections are not proxied' }, request, response);
    } else {
      this.#send(target, request, response);
    }
  }

  /** One attempt: every one is signed anew, with the credentials of its moment. */
  #send(target: Target, request: IncomingMessage, response: ServerResponse): void {
    const { credentials, dispatcher } = this.#options;
    const snapshot = credentials.current;
    const method = request.method as Dispatcher.HttpMethod;
    const { host, port, path } = target;
    const startedAt = performance.now();

    const headers = endToEndHeaders(request.rawHeaders, replacedHeaders);
    headers.push('Authorization', hawkHeader({ method, host, port, resource: path }, snapshot));

    const body = hasBody(request) ? new RequestBody(request) : null;
    const exchange = new Exchange({
      request,
      response,
      host: target.origin.slice(target.origin.indexOf('//') + 2),
      addedHeaders: [...snapshot.debugHeaders, 'X-Taskcluster-Endpoint', `${target.origin}${path}`],
      isDraining: () => this.#isDraining,
      onEnd: (outcome) => {
        body?.destroy();
        this.#finish(target, request, startedAt, outcome);
      },
    });
    dispatcher.dispatch(
      {
        origin: target.origin,
        path,
        method,
        headers,
        body,
      },
      exchange,
    );
  }

  #finish(target: Target, request: IncomingMessage, startedAt: number, outcome: ExchangeOutcome): void {
    const { metrics, logger, onIdle } = this.#options;
    const method = request.method ?? '';
    const { status, responseBytes, error } = outcome;
    const seconds = (performance.now() - startedAt) / 1000;
    const requestBytes = Number(request.headers['content-length'] ?? 0);
    metrics.observe({ method, status, route: target.route, seconds, requestBytes, responseBytes });
    if (error) logger.warn({ method, host: target.host, status, err: error }, 'the upstream failed');
    else logger.debug({ method, host: target.host, status, seconds }, 'forwarded');
    if (this.#isDraining) onIdle();
  }

  #refuse(
    { status, text }: NoTarget | { status: 501; text: string },
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    const { credentials, metrics } = this.#options;
    const headers = [
      'Content-Type',
      'text/plain; charset=utf-8',
      'Content-Length',
      String(Buffer.byteLength(text)),
    ];
    if (this.#isDraining) headers.push('Connection', 'close');
    response.writeHead(status, [...headers, ...credentials.current.debugHeaders]).end(text);
    const method = request.method ?? '';
    metrics.observe({
      method,
      status,
      route: 'none',
      seconds: 0,
      requestBytes: 0,
      responseBytes: text.length,
    });
  }
}

function asksForWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}
