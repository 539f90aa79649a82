import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type { Logger } from 'pino';
import type { RunUnit } from './run-unit.ts';

export interface WarmUnitsOptions {
  /** How many units with these services are kept ready, whatever is asked for. */
  count: number;
  sidecars: readonly Sidecar[];
  /** How many there are at once, of all kinds; default: `count`. */
  most?: number;
  /** How many are made in all; default: as many as are taken. */
  limit?: number;
  /** @param taskRun whose it is, or `warm` for any's */
  make(sidecars: readonly Sidecar[], taskRun: string): Promise<RunUnit>;
  /** What they are made on; disposed of after the last of them. */
  networks: AsyncDisposable;
  logger: Logger;
}

/** Units with the same services. */
interface Kind {
  sidecars: readonly Sidecar[];
  least: number;
  ready: RunUnit[];
  making: Set<Promise<void>>;
  /** How many wait for one of those. */
  waiting: number;
  /** When such units were asked for lately, in milliseconds. */
  asked: number[];
  /** How long the last one took until its services had started. */
  makingMs: number;
  /** Until it is not asked for any more. */
  trimming?: NodeJS.Timeout;
}

/** What is asked for less often than that is made when it is asked for. */
const memoryMs = 10_000;
const usualMakingMs = 500;

/**
 * Units made before there is a run for them, which takes the making of networks and the booting of sidecars
 * off the way from a claim to its task. A unit is given away once; {@link refill} makes new ones: as many of each kind as are
 * asked for in the time that it takes to make one.
 */
export class WarmUnits implements AsyncDisposable {
  readonly #options: WarmUnitsOptions;
  readonly #kinds: Kind[];
  readonly #leaving = new Set<Promise<void>>();
  #made = 0;
  #closed = false;

  constructor(options: WarmUnitsOptions) {
    this.#options = options;
    this.#kinds = [newKind(options.sidecars, options.count)];
  }

  /**
   * A unit with exactly these services: one made ahead, else a new one for the run. One that is still being made is waited for,
   * unless another waits for it: it is always ahead of one that would be begun now.
   */
  async take(sidecars: readonly Sidecar[], taskRun: string): Promise<RunUnit> {
    const kind = this.#kindOf(sidecars);
    kind.asked.push(performance.now());
    clearTimeout(kind.trimming);
    kind.trimming = setTimeout(() => this.#trim(kind), memoryMs).unref();
    for (;;) {
      const unit = kind.ready.shift();
      if (unit?.usable) {
        return unit;
      }
      if (unit !== undefined) {
        await unit[Symbol.asyncDispose]();
      } else if (kind.making.size > kind.waiting) {
        kind.waiting += 1;
        await Promise.race(kind.making);
        kind.waiting -= 1;
      } else {
        return await this.#options.make(sidecars, taskRun);
      }
    }
  }

  /** Makes as many units as are missing, in the background; a failure is logged and costs only time. */
  refill(): void {
    const { most = this.#options.count, limit = Number.POSITIVE_INFINITY } = this.#options;
    for (const kind of this.#kinds) {
      const wanted = wantedOf(kind);
      while (!this.#closed && this.#made < limit && this.#size < most && sizeOf(kind) < wanted) {
        this.#begin(kind);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { trimming } of this.#kinds) {
      clearTimeout(trimming);
    }
    await Promise.all(this.#kinds.flatMap(({ making }) => [...making]));
    const left = this.#kinds.flatMap(({ ready }) => ready.splice(0));
    try {
      await Promise.all([...this.#leaving, ...left.map((unit) => unit[Symbol.asyncDispose]())]);
    } finally {
      await this.#options.networks[Symbol.asyncDispose]();
    }
  }

  get #size(): number {
    return this.#kinds.reduce((sum, kind) => sum + sizeOf(kind), 0);
  }

  #kindOf(sidecars: readonly Sidecar[]): Kind {
    const known = this.#kinds.find(
      (kind) =>
        kind.sidecars.length === sidecars.length && sidecars.every((one) => kind.sidecars.includes(one)),
    );
    const kind = known ?? newKind(sidecars, 0);
    if (known === undefined) {
      this.#kinds.push(kind);
    }
    return kind;
  }

  #begin(kind: Kind): void {
    const { make, logger } = this.#options;
    this.#made++;
    const began = performance.now();
    const making = make(kind.sidecars, 'warm')
      .then(
        (unit) => {
          kind.ready.push(unit);
          void unit.started.then(() => {
            kind.makingMs = performance.now() - began;
          });
        },
        (error: Error) => logger.warn({ err: error }, 'a network with sidecars could not be made ahead'),
      )
      .finally(() => kind.making.delete(making));
    kind.making.add(making);
  }

  /** Removes what nobody asks for any more. */
  #trim(kind: Kind): void {
    for (const unit of kind.ready.splice(wantedOf(kind))) {
      const leaving = unit[Symbol.asyncDispose]()
        .catch((error: Error) =>
          this.#options.logger.error({ err: error }, 'a network made ahead could not be removed'),
        )
        .finally(() => this.#leaving.delete(leaving));
      this.#leaving.add(leaving);
    }
  }
}

function newKind(sidecars: readonly Sidecar[], least: number): Kind {
  return { sidecars, least, ready: [], making: new Set(), waiting: 0, asked: [], makingMs: usualMakingMs };
}

function sizeOf({ ready, making }: Kind): number {
  return ready.length + making.size;
}

/** As many as will be asked for while one is made. */
function wantedOf(kind: Kind): number {
  const since = performance.now() - memoryMs;
  kind.asked = kind.asked.filter((time) => time > since);
  return Math.max(kind.least, Math.ceil((kind.asked.length / memoryMs) * kind.makingMs));
}
