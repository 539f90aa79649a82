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

type Controller = Dispatcher.DispatchController;

/** One request to the upstream, as undici sees it. After the answer has been declined it reports nothing more. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #listener: AttemptListener;
  #controller: Controller | undefined;
  #abortReason: Error | undefined;
  #isDeclined = false;
  #dumpedBytes = 0;

  constructor(listener: AttemptListener) {
    this.#listener = listener;
  }

  abort(reason: Error): void {
    this.#isDeclined = true;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#abortReason) controller.abort(this.#abortReason);
  }

  onRequestUpgrade(controller: Controller, _status: number, _headers: unknown, socket: Duplex): void {
    this.#listener.onUpgrade(rawHeaders(controller), socket);
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, reason = ''): void {
    // Informational answers are for the connection they came over.
    if (status < 200) return;
    this.#isDeclined = !this.#listener.onHead(status, reason, rawHeaders(controller));
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.#isDeclined) {
      if (!this.#listener.onData(chunk)) controller.pause();
      return;
    }
    this.#dumpedBytes += chunk.length;
    if (this.#dumpedBytes > dumpLimit) controller.abort(new Error('the answer is not wanted'));
  }

  onResponseEnd(): void {
    if (!this.#isDeclined) this.#listener.onEnd();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (!this.#isDeclined) this.#listener.onError(error);
  }
}

/** As the upstream has sent them, since over HTTP/1.1 undici keeps them so. */
function rawHeaders({ rawHeaders }: Controller): readonly Buffer[] {
  return (rawHeaders ?? []) as Buffer[];
}
