import type { Logger } from 'pino';

/** Tells when a worker has had nothing to do for so long that it should end. */
export class IdleTimer implements Disposable {
  readonly #seconds: number;
  readonly #logger: Logger;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param seconds 0 never tells */
  constructor(seconds: number, logger: Logger, onIdle: () => void) {
    this.#seconds = seconds;
    this.#logger = logger;
    this.#onIdle = onIdle;
  }

  idle(): void {
    if (this.#seconds > 0 && this.#timer === undefined) {
      this.#logger.info({ uptime: Math.round(process.uptime()) }, 'uptime');
      this.#logger.info({ afterIdleSeconds: this.#seconds }, 'worker idle');
      this.#timer = setTimeout(this.#onIdle, this.#seconds * 1000);
    }
  }

  working(): void {
    if (this.#timer !== undefined) {
      this.#logger.info('worker working');
    }
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
