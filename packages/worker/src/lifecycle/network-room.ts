import type { WorkerConfig } from '../config/config.ts';
import { subnetsOf } from '../containers/run-network.ts';
import { slotsOf } from '../features/index.ts';

/** Runs of which there is anything left, for each slot, with the one that takes it: a slow engine must not pile up what is to be removed. */
const undisposedPerSlot = 2;

/** How many networks there are at most at once, where the configured range has room for them. */
export interface NetworkRoom {
  /** Of runs, those included of which something is still to be removed. */
  runs: number;
  /** Made before there is a run for them. */
  ahead: number;
  /** Kept for runs to come when theirs are over. */
  kept: number;
}

export function networkRoom(config: WorkerConfig): NetworkRoom {
  const slots = slotsOf(config);
  const { units } = config.warm;
  const { count } = subnetsOf(config.network.subnets);
  const runs = Math.max(slots, Math.min(undisposedPerSlot * slots, count - units));
  const ahead = units === 0 ? 0 : Math.max(units, Math.min(units + slots, count - runs));
  const kept = units === 0 ? 0 : Math.max(0, Math.min(slots, count - runs - ahead));
  return { runs, ahead, kept };
}
