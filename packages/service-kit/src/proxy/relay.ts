import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { countStreamed } from '../io/streamed-bytes.ts';
import { gatewayError } from './gateway-error.ts';
import { endToEndHeaders } from './header-hygiene.ts';
import { hasBody, RequestBody } from './request-body.ts';

export interface RelayOptions {
  /** From `createUpstreamDispatcher`. */
  dispatcher: Dispatcher;
  /** Scheme and authority of the upstream. */
  origin: string;
  /** Path and query, sent as they are. */
  path: string;
  /** Flat list of names and values, sent as they are, beside `Host`, which is the origin's unless given. */
  headers: string[];
  /** What to send in place of the request's own body. */
  body?: Buffer;
  /** The last word on the headers of the answer: a flat list that it may change. */
  rewriteAnswer?(headers: string[]): string[];
  /** Says of an answer that the client is not to see it; the caller relays the request anew. */
  discards?(status: number): boolean;
  /** True when the connection to the client must not be used again. */
  isDraining?(): boolean;
}

export interface RelayOutcome {
  /** Status the client saw, or that was discarded; 499 when it left before any. */
  status: number;
  discarded: boolean;
  responseBytes: number;
  /** What went wrong with the upstream, if anything; the client was told. */
  error?: Error;
}

/**
 * Sends a request on to an upstream and streams its answer back, both with back-pressure. Path, query and
 * bodies stay as they are, byte for byte; nothing is followed or repeated; the end of either side ends the
 * other. Below Fastify's reply, so the route that calls it must have hijacked. Never rejects.
 */
export function relay(
  request: IncomingMessage,
  response: ServerResponse,
  options: RelayOptions,
): Promise<RelayOutcome> {
  const { promise, resolve } = Promise.withResolvers<RelayOutcome>();
  const body = options.body ?? (hasBody(request) ? new RequestBody(request) : null);
  const answer = new Answer(request, response, options, (outcome) => {
    if (body instanceof RequestBody) body.destroy();
    resolve(outcome);
  });
  const { dispatcher, origin, path, headers } = options;
  dispatcher.dispatch(
    { origin, path, method: request.method as Dispatcher.HttpMethod, headers, body },
    answer,
  );
  return promise;
}

/**
 * Bytes of an answer from which on it counts as bulk. Over a tunnel it comes in pieces of a packet each,
 * and a write for each of them costs a fifth of the throughput: they are put together, for a moment at most.
 */
const bulkBytes = 256 * 1024;
const batchBytes = 64 * 1024;
const batchMs = 1;

class Answer implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: RelayOptions;
  readonly #onEnd: (outcome: RelayOutcome) => void;
  readonly #onClientClose = () => this.#clientClosed();
  #controller: Dispatcher.DispatchController | undefined;
  #responseBytes = 0;
  #discardedStatus: number | undefined;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #batchTimer: NodeJS.Timeout | undefined;
  #isPaused = false;
  #isOver = false;
  #error: Error | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: RelayOptions,
    onEnd: (outcome: RelayOutcome) => void,
  ) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.#onEnd = onEnd;
    response.once('close', this.#onClientClose);
    if (response.closed) this.#clientClosed();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('the client has left'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _: unknown,
    reason?: string,
  ): void {
    // Informational answers are for the connection they came over.
    if (status < 200) return;
    const { rewriteAnswer, discards, isDraining } = this.#options;
    if (discards?.(status)) {
      this.#discardedStatus = status;
      return;
    }
    let headers = endToEndHeaders((controller.rawHeaders as Buffer[]).map((part) => part.toString('latin1')));
    if (rewriteAnswer) headers = rewriteAnswer(headers);
    if (isDraining?.()) headers.push('Connection', 'close');
    if (reason) this.#response.writeHead(status, reason, headers);
    else this.#response.writeHead(status, headers);
    // Most answers are here as a whole and go out in one write. Otherwise the head must not wait for the body.
    queueMicrotask(() => {
      if (this.#responseBytes === 0 && !this.#response.writableEnded) this.#response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#discardedStatus !== undefined) return;
    countStreamed(chunk.length);
    this.#responseBytes += chunk.length;
    if (this.#responseBytes <= bulkBytes) {
      this.#write(controller, chunk);
      return;
    }
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= batchBytes) this.#writeBatch(controller);
    else this.#batchTimer ??= setTimeout(() => this.#writeBatch(controller), batchMs);
  }

  #writeBatch(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#batchBytes === 0 || this.#isOver) return;
    const batch = Buffer.concat(this.#batch, this.#batchBytes);
    this.#batch = [];
    this.#batchBytes = 0;
    this.#write(controller, batch);
  }

  #write(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#response.once('drain', () => {
      this.#isPaused = false;
      controller.resume();
    });
  }

  onResponseEnd(): void {
    if (this.#discardedStatus === undefined) {
      if (this.#controller) this.#writeBatch(this.#controller);
      this.#response.end();
    } else this.#discard(this.#discardedStatus);
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.#isOver) return;
    if (this.#discardedStatus !== undefined) {
      this.#discard(this.#discardedStatus);
      return;
    }
    this.#error = error;
    if (this.#response.headersSent) {
      // Too late for a status: a cut connection is how the client learns that the body is not whole.
      this.#response.destroy();
      return;
    }
    const host = this.#options.origin.slice(this.#options.origin.indexOf('//') + 2);
    const { statusCode, body, headers } = gatewayError(error, { method: this.#request.method ?? '', host });
    answerJson(this.#response, statusCode, body, headers);
  }

  #discard(status: number): void {
    this.#isOver = true;
    this.#response.off('close', this.#onClientClose);
    this.#onEnd({ status, discarded: true, responseBytes: 0 });
  }

  #clientClosed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#batchTimer);
    const response = this.#response;
    const isWhole = response.writableFinished;
    if (!isWhole) this.#controller?.abort(new Error('the client has left'));
    const status = isWhole || response.headersSent ? response.statusCode : 499;
    this.#onEnd({ status, discarded: false, responseBytes: this.#responseBytes, error: this.#error });
  }
}

/** An answer of our own in place of the upstream's. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(text)),
      ...headers,
    })
    .end(text);
}
