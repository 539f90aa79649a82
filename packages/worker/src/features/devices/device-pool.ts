import type { WorkerConfig } from '../../config/config.ts';
import type { HostPart, OpenPart } from '../../run/host-part.ts';
import { type Countable, countable, type Unit, unitsOf } from './host-devices.ts';

/** A device that a run has for itself until its task is over. */
export interface DeviceLease extends Disposable {
  unit: Unit;
}

/** The devices of a host of which each can serve one task at a time. */
export class DevicePool implements OpenPart {
  readonly #config: WorkerConfig;
  readonly #taken = new Map<Countable, Set<string>>();

  constructor(config: WorkerConfig) {
    this.#config = config;
  }

  /**
   * A claimed task counts by what its payload asks for, so that no more tasks are claimed than can be given what they may
   * ask for. Kinds that the host lacks do not count.
   */
  room(claimed: readonly unknown[]): number {
    const free = countable.flatMap((kind) => {
      const { length } = unitsOf(kind, this.#config);
      const expected = claimed.filter((payload) => kind === 'cpu' || asksFor(payload, kind)).length;
      return length === 0 ? [] : [Math.max(0, length - expected)];
    });
    return Math.min(Number.POSITIVE_INFINITY, ...free);
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

export const devicePool: HostPart<DevicePool> = { open: ({ config }) => new DevicePool(config) };
