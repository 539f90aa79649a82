import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { countStreamed, errorBody, gatewayError } from '@docker-worker/service-kit';
import { ForbiddenTargetError } from '../target/target-guard.ts';
import { answerJson } from './answer.ts';
import { answerHeaders, decodedHeaders, headerValue } from './answer-headers.ts';
import { Attempt, type AttemptListener } from './attempt.ts';
import type { Forwarded } from './forwarded.ts';
import { atEndOfTurn } from './held-heads.ts';
import { isPassingError, isPassingStatus, type RetryPolicy, retryPause } from './retry-policy.ts';

/** Who starts exchanges. Its methods take the request as an argument: an object of closures for each is felt. */
export interface ExchangeOwner {
  /** Sends the request once more, signed anew. */
  send(forwarded: Forwarded, attempt: Attempt): void;
  /** Added to the answer where the upstream sent no header of that name: a flat list of names and values. */
  ownHeaders(forwarded: Forwarded): string[];
  /** True when the connection to the client must not be used again. */
  isLast(forwarded: Forwarded): boolean;
  onRetry(forwarded: Forwarded, reason: { status?: number; error?: Error; pauseMs: number }): void;
  /** The upstream has switched protocols; only asked for requests for an upgrade. */
  onUpgrade(forwarded: Forwarded, rawHeaders: readonly Buffer[], socket: Duplex): void;
  onEnd(forwarded: Forwarded, outcome: ExchangeOutcome): void;
}

export interface ExchangeOutcome {
  /** Status the client saw; 499 when it left before any. */
  status: number;
  responseBytes: number;
  /** What went wrong with the upstream, if anything. */
  error: Error | undefined;
}

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
  readonly #owner: ExchangeOwner;
  readonly #forwarded: Forwarded;
  /** How often it may be sent; undefined: once. */
  readonly #retry: RetryPolicy | undefined;
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

  constructor(owner: ExchangeOwner, forwarded: Forwarded, retry: RetryPolicy | undefined) {
    this.#owner = owner;
    this.#forwarded = forwarded;
    this.#retry = retry;
    this.#attempt = new Attempt(this);
    const response = forwarded.response as Response;
    response[exchangeOf] = this;
    response.on('close', onClose);
  }

  start(): void {
    this.#attempts += 1;
    this.#owner.send(this.#forwarded, this.#attempt);
  }

  onHead(status: number, reason: string, rawHeaders: readonly Buffer[]): boolean {
    const headers = decodedHeaders(rawHeaders);
    if (
      this.#retry &&
      isPassingStatus(status) &&
      this.#retryLater({ status }, headerValue(headers, 'retry-after'))
    ) {
      return false;
    }
    const kept = answerHeaders(headers, this.#owner.ownHeaders(this.#forwarded));
    if (this.#owner.isLast(this.#forwarded)) kept.push('Connection', 'close');
    this.#headers = kept;
    this.#status = status;
    this.#reason = reason === STATUS_CODES[status] || writableReason.test(reason) ? reason : '';
    // Most answers are here as a whole by then and go out in one write. Otherwise the head must not wait for the body.
    atEndOfTurn(this);
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

  release(): void {
    if (!this.#headers || this.#isOver) return;
    try {
      this.#writeHeld(this.#headers);
    } catch (error) {
      // Nobody above catches it, and it must end this exchange only.
      this.#error = error as Error;
      this.#forwarded.response.destroy();
    }
  }

  /** What has arrived goes out. */
  #writeHeld(headers: string[]): void {
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
    // A head that is still held back was never said.
    this.#headers = undefined;
    this.#first = undefined;
    this.#responseBytes = 0;
    if (this.#retry && isPassingError(error) && this.#retryLater({ error })) return;
    this.#error = error;
    const method = request.method ?? '';
    const headers = this.#owner.ownHeaders(this.#forwarded);
    if (this.#owner.isLast(this.#forwarded)) headers.push('Connection', 'close');
    if (error instanceof ForbiddenTargetError) {
      answerJson(response, 403, errorBody('ForbiddenTarget', error.message, method), headers);
    } else {
      const host = target.origin.slice(target.origin.indexOf('//') + 2);
      const { statusCode, body, headers: more } = gatewayError(error, { method, host });
      answerJson(response, statusCode, body, [...headers, ...Object.entries(more).flat()]);
    }
  }

  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void {
    if (this.#isOver || !this.#forwarded.upgrade) {
      socket.on('error', () => {}).destroy();
      return;
    }
    // From here on the tunnel reports what happens.
    this.#isOver = true;
    this.#owner.onUpgrade(this.#forwarded, rawHeaders, socket);
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
    this.#owner.onEnd(this.#forwarded, outcome);
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
    const retry = this.#retry;
    if (!retry) return false;
    const pauseMs = retryPause(retry, {
      attempts: this.#attempts,
      elapsedMs: performance.now() - this.#forwarded.startedAt,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
    if (pauseMs === undefined) return false;
    this.#owner.onRetry(this.#forwarded, { ...reason, pauseMs });
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
