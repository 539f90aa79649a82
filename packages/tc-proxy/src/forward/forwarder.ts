import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  errorBody,
  hasBody,
  type Logger,
  parseHttpUrl,
  RequestBody,
  type RequestMetrics,
  rawPath,
  responseFor,
  smallBody,
  Tunnels,
} from '@docker-worker/service-kit';
import type { CredentialHolder } from '../signing/credential-holder.ts';
import { type NoTarget, resolveTarget, type Target } from '../target/resolve-target.ts';
import type { TargetGuard } from '../target/target-guard.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { answerJson, answerText } from './answer.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { ExchangeRecord } from './exchange-record.ts';
import { mayRepeat, type RetryPolicy } from './retry-policy.ts';

export interface ForwarderOptions {
  rootUrl: string;
  credentials: CredentialHolder;
  upstreams: Pick<Upstreams, 'root' | 'hosts'>;
  guard: TargetGuard;
  retry: RetryPolicy;
  metrics: RequestMetrics;
  logger: Logger;
  /** Called after each request, while the proxy drains. */
  onIdle(): void;
}

/** Largest request body that is kept so that it can be sent again. */
const replayableBytes = 256 * 1024;

/** Finds out where a request goes and how its body is sent, and starts the exchange; path, query and body stay as they are. */
export class Forwarder {
  readonly #root: NonNullable<ReturnType<typeof parseHttpUrl>>;
  readonly #guard: TargetGuard;
  readonly #context: ExchangeContext;

  constructor({ rootUrl, guard, metrics, onIdle, ...shared }: ForwarderOptions) {
    const root = parseHttpUrl(rootUrl);
    if (!root) throw new TypeError('rootUrl is not an http or https URL');
    this.#root = root;
    this.#guard = guard;
    const record = new ExchangeRecord({ metrics, logger: shared.logger, onIdle });
    this.#context = { ...shared, record, tunnels: new Tunnels() };
  }

  /** From now on each answer closes its connection. WebSockets have no end to wait for, so they end now. */
  drain(): Promise<void> {
    this.#context.record.isDraining = true;
    return this.#context.tunnels.close();
  }

  /** Never throws: nobody else would answer. */
  forward(rawUrl: string, request: IncomingMessage, response: ServerResponse): void {
    const target = this.#targetOf(rawUrl);
    if (!('origin' in target)) {
      this.#refuse(target, request, response);
      return;
    }

    const startedAt = performance.now();
    if (!hasBody(request)) {
      this.#start({ target, request, response, body: null, startedAt });
    } else if (this.#isReplayable(request)) {
      smallBody(request, replayableBytes).then(
        (body) => this.#start({ target, request, response, body: body ?? null, startedAt }),
        () =>
          this.#context.record.finish(
            { target, request, startedAt },
            { status: 499, responseBytes: 0, error: undefined },
          ),
      );
    } else {
      this.#start({ target, request, response, body: new RequestBody(request), startedAt });
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
    this.#start({ target, request, response, body: null, startedAt, upgrade: { socket, head } });
  }

  #start(forwarded: ConstructorParameters<typeof Exchange>[1]): void {
    try {
      new Exchange(this.#context, forwarded).start();
    } catch (error) {
      this.#context.logger.error({ err: error }, 'a request could not be handled');
      forwarded.response.destroy();
    }
  }

  #targetOf(rawUrl: string): Target | NoTarget {
    const target = resolveTarget(rawPath(rawUrl), this.#root);
    if (!('origin' in target) || target.route === 'root-url') return target;
    const refusal = this.#guard.refusal(target.host);
    return refusal === undefined ? target : { status: 403, text: refusal };
  }

  #isReplayable(request: IncomingMessage): boolean {
    const length = request.headers['content-length'];
    return (
      length !== undefined &&
      Number(length) <= replayableBytes &&
      mayRepeat(request.method ?? '', this.#context.retry)
    );
  }

  #refuse({ status, text }: NoTarget, request: IncomingMessage, response: ServerResponse): void {
    const { credentials, record } = this.#context;
    const method = request.method ?? '';
    const isLast = record.isDraining || request.headers.upgrade !== undefined;
    const headers = [...credentials.current.debugHeaders, ...(isLast ? ['Connection', 'close'] : [])];
    if (status === 403) answerJson(response, status, errorBody('ForbiddenTarget', text, method), headers);
    else answerText(response, status, text, headers);
    record.refused(method, status, text.length);
  }
}
