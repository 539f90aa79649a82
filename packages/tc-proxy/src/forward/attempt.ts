import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';

/** What an attempt reports to the exchange it belongs to. */
export interface AttemptListener {
  /** False when the answer is not for the client, since the request will be sent again. */
  onHead(status: number, reason: string, rawHeaders: readonly Buffer[]): boolean;
  /** False to pause until `resume` of the attempt. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onError(error: Error): void;
  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void;
}

/** Bytes of an unwanted answer that are read to keep its connection; beyond them a new one is cheaper. */
const dumpLimit = 64 * 1024;

/**
 * One request to the upstream, as undici sees it. After the answer has been declined it reports nothing more.
 *
 * It has the methods of undici's older kind of handler, which is what undici works with inside: the newer
 * kind is wrapped, and gets each answer's headers parsed into an object that nobody here looks at.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #listener: AttemptListener;
  #abort: ((reason: Error) => void) | undefined;
  #resume: (() => void) | undefined;
  #abortReason: Error | undefined;
  #isDeclined = false;
  #dumpedBytes = 0;

  constructor(listener: AttemptListener) {
    this.#listener = listener;
  }

  abort(reason: Error): void {
    this.#isDeclined = true;
    this.#abortReason = reason;
    this.#abort?.(reason);
  }

  resume(): void {
    this.#resume?.();
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.#abortReason) abort(this.#abortReason);
  }

  onUpgrade(_status: number, rawHeaders: Buffer[] | string[] | null, socket: Duplex): void {
    this.#listener.onUpgrade((rawHeaders ?? []) as Buffer[], socket);
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void, reason: string): boolean {
    // Informational answers are for the connection they came over.
    if (status < 200) return true;
    this.#resume = resume;
    this.#isDeclined = !this.#listener.onHead(status, reason, rawHeaders);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (!this.#isDeclined) return this.#listener.onData(chunk);
    this.#dumpedBytes += chunk.length;
    if (this.#dumpedBytes > dumpLimit) this.#abort?.(new Error('the answer is not wanted'));
    return true;
  }

  onComplete(): void {
    if (!this.#isDeclined) this.#listener.onEnd();
  }

  onError(error: Error): void {
    if (!this.#isDeclined) this.#listener.onError(error);
  }
}
