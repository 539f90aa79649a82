import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  countStreamed,
  endToEndHeaders,
  errorBody,
  gatewayError,
  hawkHeader,
  RequestBody,
} from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import type { CredentialSnapshot } from '../signing/credential-snapshot.ts';
import { writeAtEndOfTurn } from '../speed/coalesced-writes.ts';
import { ForbiddenTargetError } from '../target/target-guard.ts';
import { answerJson } from './answer.ts';
import { answerHeaders, decodedHeaders, headerValue } from './answer-headers.ts';
import { Attempt, type AttemptListener } from './attempt.ts';
import type { ExchangeContext, ForwardedRequest } from './exchange-context.ts';
import { isPassingError, isPassingStatus, mayRepeat, retryPause } from './retry-policy.ts';

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

/** Longest URL in a debug header: Node's HTTP client takes 16 KiB for all headers together. */
const longestEndpoint = 4 * 1024;

const clientLeft = 'the client has left';

/** Up to so many bytes head and body are put together, which costs a copy and saves a call of the system. */
const smallAnswer = 8 * 1024;

/** What Node writes in the place of a reason; undici hands on whatever the upstream says. */
const writableReason = /^[\t\x20-\x7e\x80-\xff]*$/;

const exchangeOf = Symbol('exchange');

type Response = ServerResponse & { [exchangeOf]?: Exchange };

/**
 * One request of a client: its attempts at the upstream, and the answer on its way from undici to the
 * client, streamed with back-pressure; either side's end aborts the other. It works on undici's `dispatch`
 * and Node's own response, below Fastify's reply and `@fastify/http-proxy`: those parse and rebuild URLs and
 * headers, which costs half of the speed and the bytes that were signed.
 */
export class Exchange implements AttemptListener {
  readonly #context: ExchangeContext;
  readonly #forwarded: ForwardedRequest;
  /** What the upstream gets beside the signature: a flat list of names and values. */
  readonly #requestHeaders: readonly string[];
  readonly #isRepeatable: boolean;
  /** That the last attempt was signed with. */
  #snapshot: CredentialSnapshot;
  #attempt: Attempt;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #responseBytes = 0;
  #isPaused = false;
  #isOver = false;
  #error: Error | undefined;

  /** The head, as long as it waits for what else arrives at the same time; `#first` is the body so far. */
  #headers: string[] | undefined;
  #status = 0;
  #reason = '';
  #first: Buffer | undefined;
  /** Nothing is missing behind `#first`. */
  #hasEnded = false;

  constructor(context: ExchangeContext, forwarded: ForwardedRequest) {
    const { request, response, body } = forwarded;
    this.#context = context;
    this.#forwarded = forwarded;
    this.#requestHeaders = endToEndHeaders(request.rawHeaders, replacedHeaders);
    this.#isRepeatable = !(body instanceof RequestBody) && mayRepeat(request.method ?? '', context.retry);
    this.#snapshot = context.credentials.current;
    this.#attempt = new Attempt(this);
    (response as Response)[exchangeOf] = this;
    response.on('close', onClose);
  }

  /** Sends the request; each attempt is signed anew, with the credentials of its moment. */
  start(): void {
    this.#attempts += 1;
    const { target, request, body, upgrade } = this.#forwarded;
    const { credentials, upstreams } = this.#context;
    const method = request.method as Dispatcher.HttpMethod;
    const { origin, host, port, path } = target;
    this.#snapshot = credentials.current;
    const signature = hawkHeader({ method, host, port, resource: path }, this.#snapshot);
    const headers = [...this.#requestHeaders, 'Authorization', signature];
    const dispatcher = target.route === 'root-url' ? upstreams.root : upstreams.hosts;
    const sent = { origin, path, method, headers, body };
    dispatcher.dispatch(upgrade ? { ...sent, upgrade: 'websocket' } : sent, this.#attempt);
  }

  onHead(status: number, reason: string, rawHeaders: readonly Buffer[]): boolean {
    const headers = decodedHeaders(rawHeaders);
    if (
      this.#isRepeatable &&
      isPassingStatus(status) &&
      this.#retryLater({ status }, headerValue(headers, 'retry-after'))
    ) {
      return false;
    }
    const kept = answerHeaders(headers, this.#ownHeaders());
    if (this.#isLast) kept.push('Connection', 'close');
    this.#headers = kept;
    this.#status = status;
    this.#reason = reason === STATUS_CODES[status] || writableReason.test(reason) ? reason : '';
    // Most answers are here as a whole by then and go out in one write. Otherwise the head must not wait for the body.
    writeAtEndOfTurn(this);
    return true;
  }

  onData(chunk: Buffer): boolean {
    countStreamed(chunk.length);
    this.#responseBytes += chunk.length;
    if (this.#headers) {
      if (this.#first === undefined && chunk.length <= smallAnswer) {
        this.#first = chunk;
        return true;
      }
      this.#writeHead(this.#headers);
      if (this.#first) this.#forwarded.response.write(this.#first);
      this.#first = undefined;
    }
    return this.#write(chunk);
  }

  onEnd(): void {
    if (this.#headers) this.#hasEnded = true;
    else this.#forwarded.response.end();
  }

  flush(): void {
    if (!this.#headers || this.#isOver) return;
    try {
      this.#writePending(this.#headers);
    } catch (error) {
      // Nobody above catches it, and it must end this exchange only.
      this.#error = error as Error;
      this.#forwarded.response.destroy();
    }
  }

  /** What has arrived goes out. */
  #writePending(headers: string[]): void {
    const { response } = this.#forwarded;
    const first = this.#first;
    this.#writeHead(headers);
    this.#first = undefined;
    if (this.#hasEnded) {
      // Text, of one character for each byte, because Node puts that behind the head and writes both as one.
      if (first) response.end(first.toString('latin1'), 'latin1');
      else response.end();
    } else if (first) this.#write(first);
    else response.flushHeaders();
  }

  onError(error: Error): void {
    if (this.#isOver) return;
    const { request, response, target } = this.#forwarded;
    if (response.headersSent) {
      this.#error = error;
      // Too late for a status: a cut connection is how the client learns that the body is not whole.
      response.destroy();
      return;
    }
    // A head that still waits was never said.
    this.#headers = undefined;
    this.#first = undefined;
    this.#responseBytes = 0;
    if (this.#isRepeatable && isPassingError(error) && this.#retryLater({ error })) return;
    this.#error = error;
    const method = request.method ?? '';
    const headers = this.#ownHeaders();
    if (this.#isLast) headers.push('Connection', 'close');
    if (error instanceof ForbiddenTargetError) {
      answerJson(response, 403, errorBody('ForbiddenTarget', error.message, method), headers);
    } else {
      const host = target.origin.slice(target.origin.indexOf('//') + 2);
      const { statusCode, body, headers: more } = gatewayError(error, { method, host });
      answerJson(response, statusCode, body, [...headers, ...Object.entries(more).flat()]);
    }
  }

  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void {
    const { upgrade, response } = this.#forwarded;
    if (this.#isOver || !upgrade) {
      socket.on('error', () => {}).destroy();
      return;
    }
    // From here on the tunnel knows when it is over.
    this.#isOver = true;
    response.detachSocket(upgrade.socket as never);
    const headers = endToEndHeaders(decodedHeaders(rawHeaders));
    headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket', ...this.#ownHeaders());
    const ends = { client: upgrade.socket, head: upgrade.head, upstream: socket, headers };
    void this.#context.tunnels
      .open(ends)
      .then(({ down }) =>
        this.#context.record.finish(this.#forwarded, { status: 101, responseBytes: down, error: undefined }),
      );
  }

  /** The connection to the client is closed, or has got the whole answer. */
  onClientClose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { response } = this.#forwarded;
    const isWhole = response.writableFinished;
    if (!isWhole) this.#attempt.abort(new Error(clientLeft));
    const status = isWhole || response.headersSent ? response.statusCode : 499;
    const outcome = { status, responseBytes: this.#responseBytes, error: this.#error };
    const { body } = this.#forwarded;
    if (body instanceof RequestBody) body.destroy();
    this.#context.record.finish(this.#forwarded, outcome);
  }

  /** Added to the answer where the upstream sent no header of that name: a flat list of names and values. */
  #ownHeaders(): string[] {
    const { origin, path } = this.#forwarded.target;
    const url = `${origin}${path}`;
    const endpoint = url.length > longestEndpoint ? `${url.slice(0, longestEndpoint - 3)}...` : url;
    return [...this.#snapshot.debugHeaders, 'X-Taskcluster-Endpoint', endpoint];
  }

  /** The connection to the client must not be used again: what follows an upgrade that was not made is lost by Node's parser. */
  get #isLast(): boolean {
    return this.#context.record.isDraining || this.#forwarded.request.headers.upgrade !== undefined;
  }

  #writeHead(headers: string[]): void {
    const { response } = this.#forwarded;
    this.#headers = undefined;
    if (this.#reason) response.writeHead(this.#status, this.#reason, headers);
    else response.writeHead(this.#status, headers);
  }

  #write(chunk: Buffer): boolean {
    if (this.#forwarded.response.write(chunk)) return true;
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#awaitDrain();
    }
    return false;
  }

  #awaitDrain(): void {
    this.#forwarded.response.once('drain', () => {
      this.#isPaused = false;
      this.#attempt.resume();
    });
  }

  /** False when there is no time left for another attempt. */
  #retryLater(reason: { status?: number; error?: Error }, retryAfter?: string): boolean {
    const { retry, logger } = this.#context;
    const { request, target, startedAt } = this.#forwarded;
    const pauseMs = retryPause(retry, {
      attempts: this.#attempts,
      elapsedMs: performance.now() - startedAt,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
    if (pauseMs === undefined) return false;
    const { method } = request;
    logger.info({ method, host: target.host, ...reason, pauseMs }, 'the request will be sent again');
    this.#timer = setTimeout(() => {
      this.#attempt = new Attempt(this);
      this.start();
    }, pauseMs);
    return true;
  }
}

/** One function for all responses. */
function onClose(this: Response): void {
  this[exchangeOf]?.onClientClose();
}
