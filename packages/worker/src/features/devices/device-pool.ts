import type { WorkerConfig } from '../../config/config.ts';
import { type Countable, countable, isEnabled, type Unit, unitsOf } from './host-devices.ts';

/** A device that a run has for itself until it is disposed of. */
export interface DeviceLease extends Disposable {
  unit: Unit;
}

/**
 * The devices of a host of which each can serve one task at a time. A claimed task counts from its claim on,
 * by what its payload asks for, so that no more tasks are claimed than can be given what they may ask for.
 */
export class DevicePool {
  readonly #config: WorkerConfig;
  readonly #expected = new Map<Countable, number>();
  readonly #taken = new Map<Countable, Set<string>>();

  constructor(config: WorkerConfig) {
    this.#config = config;
  }

  /** How many more tasks can be claimed, whatever they ask for; kinds that the host lacks do not count. */
  get room(): number {
    const free = countable.flatMap((kind) => {
      const { length } = unitsOf(kind, this.#config);
      return length === 0 ? [] : [Math.max(0, length - (this.#expected.get(kind) ?? 0))];
    });
    return Math.min(Number.POSITIVE_INFINITY, ...free);
  }

  /** Counts a claimed task with what it asks for, until the returned is disposed of. */
  expect(payload: unknown): Disposable {
    const kinds = countable.filter((kind) =>
      kind === 'cpu' ? isEnabled(kind, this.#config) : asksFor(payload, kind),
    );
    const add = (change: number) => {
      for (const kind of kinds) {
        this.#expected.set(kind, (this.#expected.get(kind) ?? 0) + change);
      }
    };
    add(1);
    return { [Symbol.dispose]: () => add(-1) };
  }

  /** The first free unit of a kind, or `undefined` when all are taken. */
  take(kind: Countable): DeviceLease | undefined {
    const taken = this.#taken.get(kind) ?? new Set<string>();
    this.#taken.set(kind, taken);
    const unit = unitsOf(kind, this.#config).find(([first = '']) => !taken.has(first));
    const name = unit?.[0];
    if (unit === undefined || name === undefined) {
      return undefined;
    }
    taken.add(name);
    return { unit, [Symbol.dispose]: () => void taken.delete(name) };
  }
}

/** Of a payload that nobody has examined yet. */
function asksFor(payload: unknown, device: string): boolean {
  const { capabilities } = (payload ?? {}) as { capabilities?: { devices?: Record<string, unknown> } | null };
  return capabilities?.devices?.[device] === true;
}
