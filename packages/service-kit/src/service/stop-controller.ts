import { setTimeout as delay } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import { flushStandardStreams } from '../io/standard-streams.ts';
import type { RunningService } from './service.ts';

export interface StopOptions {
  /** Milliseconds for requests in flight. */
  drainMs: number;
  onFatal(error: unknown): void;
}

/** Milliseconds after the drain at which the process ends even if closing hangs. */
const forcedExitMs = 1_000;

/**
 * The one place where the process ends after it has started: a signal, an uncaught error or a call of
 * `stop`. New connections are refused at once, requests in flight get their time, then all is closed.
 */
export class StopController {
  readonly #abort = new AbortController();
  readonly #options: StopOptions;
  readonly #grace: { close(): void };
  #service: RunningService | undefined;

  constructor(options: StopOptions) {
    this.#options = options;
    this.#grace = closeWithGrace(
      { delay: options.drainMs + forcedExitMs, logger: false, skip: ['beforeExit'] },
      async ({ err }) => {
        if (err) options.onFatal(err);
        await this.#close();
      },
    );
  }

  /** Aborted as soon as the process begins to end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What has to be drained; without a service the process ends at once. */
  onStop(service: RunningService): void {
    this.#service = service;
  }

  /** Drains and exits with 0; further calls change nothing. */
  stop(): void {
    if (!this.#abort.signal.aborted) this.#grace.close();
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    await this.#closeService();
    await flushStandardStreams();
  }

  async #closeService(): Promise<void> {
    const service = this.#service;
    if (!service) return;
    const timer = new AbortController();
    await Promise.race([
      service.drain(),
      delay(this.#options.drainMs, undefined, { signal: timer.signal }).catch(() => {}),
    ]);
    timer.abort();
    await service.destroy();
  }
}
