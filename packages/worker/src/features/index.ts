import type { WorkerConfig } from '../config/config.ts';
import { allowPtrace } from './allow-ptrace/allow-ptrace.ts';
import { artifacts } from './artifacts/artifacts.ts';
import { caches } from './caches/caches.ts';
import { chainOfTrust } from './chain-of-trust/chain-of-trust.ts';
import { devices } from './devices/devices.ts';
import { ownCore } from './devices/own-core.ts';
import { privileged } from './devices/privileged.ts';
import { dockerSave } from './docker-save/docker-save.ts';
import type { Feature, FeatureFamily } from './feature.ts';
import { interactive } from './interactive/interactive.ts';
import { bulkLog } from './logs/bulk-log.ts';
import { localLiveLog } from './logs/local-live-log.ts';
import { relengAPIProxy } from './relengapi-proxy/relengapi-proxy.ts';
import { taskclusterProxy } from './taskcluster-proxy/taskcluster-proxy.ts';
import { phone } from './testdroid-proxy/phone.ts';
import { testdroidProxyFeature } from './testdroid-proxy/testdroid-proxy.ts';
import { vpnProxies } from './vpn-proxies/vpn-proxies.ts';

/**
 * Every feature, in the order in which problems are told. All that the worker knows of features comes from this list: the
 * names in payloads and configurations, the settings, what is opened and swept on the host.
 */
export const features: readonly Feature[] = [
  localLiveLog,
  artifacts,
  chainOfTrust,
  bulkLog,
  taskclusterProxy,
  relengAPIProxy,
  interactive,
  testdroidProxyFeature,
  dockerSave,
  allowPtrace,
  privileged,
  devices,
  phone,
  ownCore,
  caches,
];

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
