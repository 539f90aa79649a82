import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { endToEndHeaders, errorBody, gatewayError } from '@docker-worker/service-kit';
import { answerJson } from './answer.ts';
import { Attempt, type AttemptListener } from './attempt.ts';
import { isPassingError, isPassingStatus, type RetryPolicy, retryPause } from './retry-policy.ts';
import { ForbiddenTargetError } from './target-guard.ts';

export interface ExchangeOptions {
  request: IncomingMessage;
  response: ServerResponse;
  /** Scheme and authority of the upstream. */
  origin: string;
  /** Sends the request once more, signed anew. */
  send(attempt: Attempt): void;
  /** How often it may be sent; undefined: once. */
  retry: RetryPolicy | undefined;
  /** Added to the answer where the upstream sent no header of that name: a flat list of names and values. */
  addedHeaders(): readonly string[];
  /** True when the connection to the client must not be used again. */
  isLast(): boolean;
  onRetry(reason: { status?: number; error?: Error; pauseMs: number }): void;
  /** The upstream has switched protocols. */
  onUpgrade?(rawHeaders: readonly Buffer[], socket: Duplex): void;
  onEnd(outcome: ExchangeOutcome): void;
}

export interface ExchangeOutcome {
  /** Status the client saw; 499 when it left before any. */
  status: number;
  responseBytes: number;
  /** What went wrong with the upstream, if anything. */
  error?: Error;
}

const clientLeft = 'the client has left';

/**
 * One request of a client: its attempts at the upstream, and the answer on its way from undici to the
 * client, streamed with back-pressure; either side's end aborts the other. It works on undici's `dispatch`
 * and Node's own response, below Fastify's reply and `@fastify/http-proxy`: those parse and rebuild URLs and
 * headers, which costs half of the speed and the bytes that were signed.
 */
export class Exchange implements AttemptListener {
  readonly #options: ExchangeOptions;
  readonly #startedAt: number;
  #attempt: Attempt;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #responseBytes = 0;
  #isPaused = false;
  #isOver = false;
  #error: Error | undefined;

  constructor(options: ExchangeOptions, startedAt: number) {
    this.#options = options;
    this.#startedAt = startedAt;
    this.#attempt = new Attempt(this);
    options.response.once('close', () => this.#onClientClose());
  }

  start(): void {
    this.#attempts += 1;
    this.#options.send(this.#attempt);
  }

  onHead(status: number, reason: string, rawHeaders: readonly Buffer[]): boolean {
    const { response, retry, addedHeaders, isLast } = this.#options;
    const headers = decoded(rawHeaders);
    if (
      retry &&
      isPassingStatus(status) &&
      this.#retryLater({ status }, headerValue(headers, 'retry-after'))
    ) {
      return false;
    }
    const kept = endToEndHeaders(headers);
    addMissing(kept, addedHeaders());
    if (isLast()) kept.push('Connection', 'close');
    if (reason) response.writeHead(status, reason, kept);
    else response.writeHead(status, kept);
    // Most answers are here as a whole and go out in one write. Otherwise the head must not wait for the body.
    queueMicrotask(() => {
      if (this.#responseBytes === 0 && !response.writableEnded) response.flushHeaders();
    });
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#responseBytes += chunk.length;
    if (this.#options.response.write(chunk)) return true;
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#options.response.once('drain', () => {
        this.#isPaused = false;
        this.#attempt.resume();
      });
    }
    return false;
  }

  onEnd(): void {
    this.#options.response.end();
  }

  onError(error: Error): void {
    if (this.#isOver) return;
    const { request, response, origin, addedHeaders, isLast, retry } = this.#options;
    if (response.headersSent) {
      this.#error = error;
      // Too late for a status: a cut connection is how the client learns that the body is not whole.
      response.destroy();
      return;
    }
    if (retry && isPassingError(error) && this.#retryLater({ error })) return;
    this.#error = error;
    const method = request.method ?? '';
    const headers = [...addedHeaders(), ...(isLast() ? ['Connection', 'close'] : [])];
    if (error instanceof ForbiddenTargetError) {
      answerJson(response, 403, errorBody('ForbiddenTarget', error.message, method), headers);
    } else {
      const host = origin.slice(origin.indexOf('//') + 2);
      const { statusCode, body } = gatewayError(error, { method, host });
      answerJson(response, statusCode, body, headers);
    }
  }

  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void {
    if (this.#isOver || !this.#options.onUpgrade) {
      socket.on('error', () => {}).destroy();
      return;
    }
    // From here on the tunnel reports what happens.
    this.#isOver = true;
    this.#options.onUpgrade(rawHeaders, socket);
  }

  /** False when there is no time left for another attempt. */
  #retryLater(reason: { status?: number; error?: Error }, retryAfter?: string): boolean {
    const { retry, onRetry } = this.#options;
    if (!retry) return false;
    const elapsedMs = performance.now() - this.#startedAt;
    const pauseMs = retryPause(retry, {
      attempts: this.#attempts,
      elapsedMs,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
    if (pauseMs === undefined) return false;
    onRetry({ ...reason, pauseMs });
    this.#timer = setTimeout(() => {
      this.#attempt = new Attempt(this);
      this.start();
    }, pauseMs);
    return true;
  }

  #onClientClose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { response, onEnd } = this.#options;
    const isWhole = response.writableFinished;
    if (!isWhole) this.#attempt.abort(new Error(clientLeft));
    const status = isWhole || response.headersSent ? response.statusCode : 499;
    const outcome: ExchangeOutcome = { status, responseBytes: this.#responseBytes };
    if (this.#error) outcome.error = this.#error;
    onEnd(outcome);
  }
}

function decoded(raw: readonly Buffer[]): string[] {
  return raw.map((part) => part.toString('latin1'));
}

function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

function addMissing(headers: string[], added: readonly string[]): void {
  const given = new Set<string>();
  for (let index = 0; index < headers.length; index += 2) given.add((headers[index] as string).toLowerCase());
  for (let index = 0; index < added.length; index += 2) {
    const name = added[index] as string;
    if (!given.has(name.toLowerCase())) headers.push(name, added[index + 1] as string);
  }
}
