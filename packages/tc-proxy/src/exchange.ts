import type { IncomingMessage, ServerResponse } from 'node:http';
import { endToEndHeaders, gatewayError } from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';

export interface ExchangeOptions {
  request: IncomingMessage;
  response: ServerResponse;
  /** Host that failures are reported for. */
  host: string;
  /** Added to the answer where the upstream sent no header of that name: a flat list of names and values. */
  addedHeaders: readonly string[];
  /** True when the connection to the client must not be used again. */
  isDraining(): boolean;
  onEnd(outcome: ExchangeOutcome): void;
}

export interface ExchangeOutcome {
  /** Status the client saw; 499 when it left before any. */
  status: number;
  responseBytes: number;
  /** What went wrong with the upstream, if anything. */
  error?: unknown;
}

/**
 * One answer on its way from undici to the client, streamed with back-pressure; either side's end aborts
 * the other. It works on undici's `dispatch` and Node's own response, below Fastify's reply and
 * `@fastify/http-proxy`: those parse and rebuild URLs and headers, which costs half of the speed and
 * the bytes that were signed.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #responseBytes = 0;
  #isPaused = false;
  #isOver = false;
  #error: unknown;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    options.response.once('close', () => this.#onClientClose());
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
    const { response, addedHeaders, isDraining } = this.#options;
    const headers = endToEndHeaders(decoded(controller.rawHeaders as Buffer[]));
    addMissing(headers, addedHeaders);
    if (isDraining()) headers.push('Connection', 'close');
    if (reason) response.writeHead(status, reason, headers);
    else response.writeHead(status, headers);
    // Most answers are here as a whole and go out in one write. Otherwise the head must not wait for the body.
    queueMicrotask(() => {
      if (this.#responseBytes === 0 && !response.writableEnded) response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#responseBytes += chunk.length;
    if (this.#options.response.write(chunk)) return;
    controller.pause();
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#options.response.once('drain', () => {
      this.#isPaused = false;
      controller.resume();
    });
  }

  onResponseEnd(): void {
    this.#options.response.end();
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.#isOver) return;
    this.#error = error;
    const { request, response, host, addedHeaders } = this.#options;
    if (response.headersSent) {
      // Too late for a status: a cut connection is how the client learns that the body is not whole.
      response.destroy();
      return;
    }
    const { statusCode, body } = gatewayError(error, { method: request.method ?? '', host });
    const text = JSON.stringify(body);
    const headers = ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text))];
    response.writeHead(statusCode, [...headers, ...addedHeaders]).end(text);
  }

  #onClientClose(): void {
    this.#isOver = true;
    const { response, onEnd } = this.#options;
    const isWhole = response.writableFinished;
    if (!isWhole) this.#controller?.abort(new Error('the client has left'));
    const status = isWhole || response.headersSent ? response.statusCode : 499;
    onEnd({ status, responseBytes: this.#responseBytes, error: this.#error });
  }
}

function decoded(raw: readonly Buffer[]): string[] {
  return raw.map((part) => part.toString('latin1'));
}

function addMissing(headers: string[], added: readonly string[]): void {
  const given = new Set<string>();
  for (let index = 0; index < headers.length; index += 2) given.add((headers[index] as string).toLowerCase());
  for (let index = 0; index < added.length; index += 2) {
    const name = added[index] as string;
    if (!given.has(name.toLowerCase())) headers.push(name, added[index + 1] as string);
  }
}
