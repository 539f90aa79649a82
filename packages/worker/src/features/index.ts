import type { WorkerConfig } from '../config/config.ts';
import * as all from './all.ts';
import type { Feature, FeatureFamily } from './feature.ts';
import { vpnProxies } from './vpn-proxies/vpn-proxies.ts';

/**
 * Every feature. All that the worker knows of features comes from this list: the names in payloads and configurations, the
 * settings, what is opened and swept on the host.
 */
export const features: readonly Feature[] = Object.values(all);

/** Features that a configuration can add to them. */
export const families: readonly FeatureFamily[] = [vpnProxies];

/** Every feature of a worker, those included that its configuration names. */
export function featuresOf(config?: WorkerConfig): readonly Feature[] {
  return [...features, ...families.flatMap((family) => family.features(config))];
}

/** How many tasks run at once. */
export function slotsOf(config: WorkerConfig): number {
  return features.flatMap((feature) => feature.slots?.(config) ?? [])[0] ?? config.capacity;
}
