import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type { Logger } from 'pino';
import type { RunUnit } from './run-unit.ts';

export interface WarmUnitsOptions {
  /** How many units are kept ready. */
  count: number;
  /** How many are made in all; default: as many as are taken. */
  limit?: number;
  /** The services that each of them has. */
  sidecars: readonly Sidecar[];
  make(): Promise<RunUnit>;
  logger: Logger;
}

/**
 * Units made before there is a run for them, which takes the making of networks and the booting of sidecars
 * off the way from a claim to its task. A unit is given away once; {@link refill} makes new ones.
 */
export class WarmUnits implements AsyncDisposable {
  readonly #options: WarmUnitsOptions;
  readonly #ready: RunUnit[] = [];
  readonly #making = new Set<Promise<void>>();
  #made = 0;
  #closed = false;

  constructor(options: WarmUnitsOptions) {
    this.#options = options;
  }

  /**
   * A unit with exactly these services, or nothing. One that is still being made is waited for: it is
   * always ahead of one that would be begun now.
   */
  async take(sidecars: readonly Sidecar[]): Promise<RunUnit | undefined> {
    const { sidecars: offered } = this.#options;
    const fits = sidecars.length === offered.length && sidecars.every((sidecar) => offered.includes(sidecar));
    while (fits) {
      const unit = this.#ready.shift();
      if (unit?.usable) {
        return unit;
      }
      if (unit !== undefined) {
        await unit[Symbol.asyncDispose]();
      } else if (this.#making.size > 0) {
        await Promise.race(this.#making);
      } else {
        return undefined;
      }
    }
    return undefined;
  }

  /** Makes as many units as are missing, in the background; a failure is logged and costs only time. */
  refill(): void {
    const { count, limit = Number.POSITIVE_INFINITY, make, logger } = this.#options;
    while (!this.#closed && this.#made < limit && this.#ready.length + this.#making.size < count) {
      this.#made++;
      const making = this.#add(make).catch((error: Error) => {
        logger.warn({ err: error }, 'a network with sidecars could not be made ahead');
      });
      this.#making.add(making);
      void making.finally(() => this.#making.delete(making));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#making);
    await Promise.all(this.#ready.splice(0).map((unit) => unit[Symbol.asyncDispose]()));
  }

  async #add(make: () => Promise<RunUnit>): Promise<void> {
    this.#ready.push(await make());
  }
}
