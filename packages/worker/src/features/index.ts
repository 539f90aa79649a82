import type { WorkerConfig } from '../config/config.ts';
import { allowPtrace } from './allow-ptrace.ts';
import { artifacts } from './artifacts.ts';
import { bulkLog } from './bulk-log.ts';
import { caches } from './caches.ts';
import { chainOfTrust } from './chain-of-trust.ts';
import { devices } from './devices.ts';
import { dockerSave } from './docker-save.ts';
import type { Feature } from './feature.ts';
import { interactive } from './interactive.ts';
import { localLiveLog } from './local-live-log.ts';
import { ownCore } from './own-core.ts';
import { phone } from './phone.ts';
import { privileged } from './privileged.ts';
import { relengAPIProxy } from './relengapi-proxy.ts';
import { taskclusterProxy } from './taskcluster-proxy.ts';
import { testdroidProxyFeature } from './testdroid-proxy.ts';
import { vpnFeatures } from './vpn-proxies.ts';

/** Every feature that does not depend on the configuration, in the order in which problems are told. */
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

/** Every feature of a worker, those included that its configuration names. */
export function featuresOf(config: WorkerConfig): readonly Feature[] {
  return [...features, ...vpnFeatures(config)];
}
