import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Resolution } from './run/resolution.ts';

const usualFirstMs = 5_000;
const usualLongestMs = 60_000;

/**
 * Keeps a host that gives runs back for faults of its own from claiming their tasks again at once, and with that from using up
 * all the runs that the queue makes of them: it pauses, each time for longer, until a run ends in another way.
 */
export class FaultPause {
  readonly #logger: Logger;
  readonly #firstMs: number;
  readonly #longestMs: number;
  #pauseMs = 0;
  #until = 0;

  constructor(logger: Logger, { firstMs = usualFirstMs, longestMs = usualLongestMs } = {}) {
    this.#logger = logger;
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** A run has ended so, and not because the worker was told to end. */
  ended(resolution: Resolution): void {
    if (resolution.kind !== 'exception' || resolution.reason !== 'worker-shutdown') {
      this.#pauseMs = 0;
      this.#until = 0;
    } else if (performance.now() >= this.#until) {
      // Runs side by side meet one fault together.
      this.#pauseMs = Math.min(this.#longestMs, this.#pauseMs * 2 || this.#firstMs);
      this.#until = performance.now() + this.#pauseMs;
      this.#logger.warn(
        { seconds: this.#pauseMs / 1000 },
        'no task is claimed for a while after a fault of this host',
      );
    }
  }

  /** Settles when tasks may be claimed, or with the signal. */
  async over(signal: AbortSignal): Promise<void> {
    for (let rest = this.#rest; rest > 0 && !signal.aborted; rest = this.#rest) {
      await setTimeout(rest, undefined, { signal }).catch(() => {});
    }
  }

  get #rest(): number {
    return Math.ceil(this.#until - performance.now());
  }
}
