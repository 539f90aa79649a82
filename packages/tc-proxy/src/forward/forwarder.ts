import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  endToEndHeaders,
  errorBody,
  type HttpUrl,
  hasBody,
  hawkHeader,
  type Logger,
  RequestBody,
  type RequestMetrics,
  rawPath,
  smallBody,
} from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import type { CredentialHolder } from '../signing/credential-holder.ts';
import { type NoTarget, resolveTarget, type Target } from '../target/resolve-target.ts';
import type { TargetGuard } from '../target/target-guard.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { answerJson, answerText } from './answer.ts';
import type { Attempt } from './attempt.ts';
import { Exchange, type ExchangeOutcome, type ExchangeOwner } from './exchange.ts';
import type { Forwarded } from './forwarded.ts';
import { mayRepeat, type RetryPolicy } from './retry-policy.ts';
import { openTunnel, responseFor } from './web-socket-tunnel.ts';

export interface ForwarderOptions {
  root: HttpUrl;
  credentials: CredentialHolder;
  upstreams: Pick<Upstreams, 'root' | 'hosts'>;
  guard: TargetGuard;
  retry: RetryPolicy;
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

/** Largest request body that is kept so that it can be sent again. */
const replayableBytes = 256 * 1024;

/** Longest URL in a debug header: Node's HTTP client takes 16 KiB for all headers together. */
const longestEndpoint = 4 * 1024;

/** Signs requests and forwards them, byte for byte as far as path, query and body go. */
export class Forwarder implements ExchangeOwner {
  readonly #options: ForwarderOptions;
  readonly #tunnels = new Map<Duplex, Promise<void>>();
  #isDraining = false;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** From now on each answer closes its connection. WebSockets have no end to wait for, so they end now. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    for (const socket of this.#tunnels.keys()) socket.destroy();
    await Promise.all(this.#tunnels.values());
  }

  forward(rawUrl: string, request: IncomingMessage, response: ServerResponse): void {
    const target = this.#targetOf(rawUrl);
    if (!('origin' in target)) {
      this.#refuse(target, request, response);
      return;
    }

    const startedAt = performance.now();
    if (!hasBody(request)) {
      this.#exchange(target, { request, response, body: null, startedAt });
    } else if (this.#isReplayable(request)) {
      smallBody(request, replayableBytes).then(
        (body) => this.#exchange(target, { request, response, body: body ?? null, startedAt }),
        () => this.#finish(target, request, startedAt, { status: 499, responseBytes: 0, error: undefined }),
      );
    } else {
      this.#exchange(target, { request, response, body: new RequestBody(request), startedAt });
    }
  }

  /** The same for a request that wants to become a WebSocket. */
  upgrade(rawUrl: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Without a listener an error, such as a reset by the client, would end the process.
    socket.on('error', () => {});
    const response = responseFor(request, socket);
    const target = this.#targetOf(rawUrl);
    if (!('origin' in target)) {
      this.#refuse(target, request, response);
      return;
    }
    const startedAt = performance.now();
    this.#exchange(target, { request, response, body: null, startedAt }, { socket, head });
  }

  #targetOf(rawUrl: string): Target | NoTarget {
    const { root, guard } = this.#options;
    const target = resolveTarget(rawPath(rawUrl), root);
    if (!('origin' in target) || target.route === 'root-url') return target;
    const refusal = guard.refusal(target.host);
    return refusal === undefined ? target : { status: 403, text: refusal };
  }

  #isReplayable(request: IncomingMessage): boolean {
    const length = request.headers['content-length'];
    return (
      length !== undefined &&
      Number(length) <= replayableBytes &&
      mayRepeat(request.method ?? '', this.#options.retry)
    );
  }

  #exchange(
    target: Target,
    { request, response, body, startedAt }: Pick<Forwarded, 'request' | 'response' | 'body' | 'startedAt'>,
    upgrade?: Forwarded['upgrade'],
  ): void {
    const { credentials, retry } = this.#options;
    const headers = endToEndHeaders(request.rawHeaders, replacedHeaders);
    const snapshot = credentials.current;
    const isRepeatable = !(body instanceof RequestBody) && mayRepeat(request.method ?? '', retry);
    const forwarded = { target, request, response, body, startedAt, headers, snapshot, upgrade };
    new Exchange(this, forwarded, isRepeatable ? retry : undefined).start();
  }

  /** Each attempt is signed anew, with the credentials of its moment. */
  send(forwarded: Forwarded, attempt: Attempt): void {
    const { target, request, body, upgrade } = forwarded;
    const { credentials, upstreams } = this.#options;
    const method = request.method as Dispatcher.HttpMethod;
    const { origin, host, port, path } = target;
    forwarded.snapshot = credentials.current;
    const signature = hawkHeader({ method, host, port, resource: path }, forwarded.snapshot);
    const headers = [...forwarded.headers, 'Authorization', signature];
    const dispatcher = target.route === 'root-url' ? upstreams.root : upstreams.hosts;
    if (upgrade) dispatcher.dispatch({ origin, path, method, headers, body, upgrade: 'websocket' }, attempt);
    else dispatcher.dispatch({ origin, path, method, headers, body }, attempt);
  }

  ownHeaders({ snapshot, target }: Forwarded): string[] {
    return [...snapshot.debugHeaders, 'X-Taskcluster-Endpoint', endpoint(target)];
  }

  /** What follows a request for an upgrade that was not made is lost by Node's parser. */
  isLast({ request }: Forwarded): boolean {
    return this.#isDraining || request.headers.upgrade !== undefined;
  }

  onRetry({ request, target }: Forwarded, reason: { status?: number; error?: Error; pauseMs: number }): void {
    const { method } = request;
    this.#options.logger.info({ method, host: target.host, ...reason }, 'the request will be sent again');
  }

  onUpgrade(forwarded: Forwarded, rawHeaders: readonly Buffer[], socket: Duplex): void {
    if (forwarded.upgrade) this.#tunnel(forwarded, forwarded.upgrade, rawHeaders, socket);
  }

  onEnd({ target, request, body, startedAt }: Forwarded, outcome: ExchangeOutcome): void {
    if (body instanceof RequestBody) body.destroy();
    this.#finish(target, request, startedAt, outcome);
  }

  #tunnel(
    { target, request, response, startedAt }: Forwarded,
    { socket, head }: { socket: Duplex; head: Buffer },
    rawHeaders: readonly Buffer[],
    upstream: Duplex,
  ): void {
    response.detachSocket(socket as never);
    const addedHeaders = [
      ...this.#options.credentials.current.debugHeaders,
      'X-Taskcluster-Endpoint',
      endpoint(target),
    ];
    const closed = openTunnel({ client: socket, head, upstream, rawHeaders, addedHeaders }).then(
      ({ down }) => {
        this.#tunnels.delete(socket);
        this.#finish(target, request, startedAt, { status: 101, responseBytes: down, error: undefined });
      },
    );
    this.#tunnels.set(socket, closed);
    if (this.#isDraining) socket.destroy();
  }

  #finish(target: Target, request: IncomingMessage, startedAt: number, outcome: ExchangeOutcome): void {
    const { metrics, logger, onIdle } = this.#options;
    const method = request.method ?? '';
    const { status, responseBytes, error } = outcome;
    const seconds = (performance.now() - startedAt) / 1000;
    const requestBytes = Number(request.headers['content-length'] ?? 0);
    metrics.observe({ method, status, route: target.route, seconds, requestBytes, responseBytes });
    if (error) logger.warn({ method, host: target.host, status, err: error }, 'the upstream failed');
    else if (logger.isLevelEnabled('debug'))
      logger.debug({ method, host: target.host, status, seconds }, 'forwarded');
    if (this.#isDraining) onIdle();
  }

  #refuse({ status, text }: NoTarget, request: IncomingMessage, response: ServerResponse): void {
    const { credentials, metrics } = this.#options;
    const method = request.method ?? '';
    const isLast = this.#isDraining || request.headers.upgrade !== undefined;
    const headers = [...credentials.current.debugHeaders, ...(isLast ? ['Connection', 'close'] : [])];
    if (status === 403) answerJson(response, status, errorBody('ForbiddenTarget', text, method), headers);
    else answerText(response, status, text, headers);
    const responseBytes = text.length;
    metrics.observe({ method, status, route: 'none', seconds: 0, requestBytes: 0, responseBytes });
  }
}

function endpoint({ origin, path }: Target): string {
  const url = `${origin}${path}`;
  return url.length > longestEndpoint ? `${url.slice(0, longestEndpoint - 3)}...` : url;
}
