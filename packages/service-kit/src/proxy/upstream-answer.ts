import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { countStreamed } from '../io/streamed-bytes.ts';

type Controller = Dispatcher.DispatchController;

/**
 * Bytes of an answer from which on it counts as bulk. Over a tunnel it comes in pieces of a packet each,
 * and a write for each of them costs a fifth of the throughput: they are put together, for a moment at most.
 */
const bulkBytes = 256 * 1024;
const batchBytes = 64 * 1024;
const batchMs = 1;

/** The answer to one request, handed to undici as its handler: a stream of the body that keeps the upstream back. */
export class UpstreamAnswer extends Readable implements Dispatcher.DispatchHandler {
  statusCode = 0;
  reason = '';
  /** As they came: names and values. */
  rawHeaders: string[] = [];
  /** Of the body, so far. */
  bytes = 0;
  readonly #onAnswer: (error: Error | null) => void;
  #controller: Controller | undefined;
  #abortReason: Error | undefined;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #batchTimer: NodeJS.Timeout | undefined;

  /** @param onAnswer called once: when the answer has begun, or with the reason why there is none */
  constructor(onAnswer: (error: Error | null) => void) {
    super({ highWaterMark: batchBytes });
    this.#onAnswer = onAnswer;
  }

  /** Ends the request, sent or not. */
  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#abortReason) controller.abort(this.#abortReason);
  }

  onResponseStart({ rawHeaders }: Controller, status: number, _: unknown, reason = ''): void {
    // Informational answers are for the connection they came over.
    if (status < 200) return;
    this.statusCode = status;
    this.reason = reason;
    this.rawHeaders = (rawHeaders as Buffer[]).map((part) => part.toString('latin1'));
    this.#onAnswer(null);
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    countStreamed(chunk.length);
    this.bytes += chunk.length;
    if (this.bytes <= bulkBytes) {
      this.#push(chunk);
      return;
    }
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= batchBytes) this.#pushBatch();
    else this.#batchTimer ??= setTimeout(() => this.#pushBatch(), batchMs);
  }

  onResponseEnd(): void {
    this.#pushBatch();
    this.push(null);
  }

  onResponseError(_: Controller, error: Error): void {
    if (this.statusCode === 0) this.#onAnswer(error);
    else this.destroy(error);
  }

  override _read(): void {
    this.#controller?.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#batchTimer);
    if (!this.readableEnded) this.abort(error ?? new Error('the answer is not wanted any more'));
    done(error);
  }

  #pushBatch(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#batchBytes === 0 || this.destroyed) return;
    const batch = Buffer.concat(this.#batch, this.#batchBytes);
    this.#batch = [];
    this.#batchBytes = 0;
    this.#push(batch);
  }

  #push(chunk: Buffer): void {
    if (!this.push(chunk)) this.#controller?.pause();
  }
}
