import { artifacts } from './artifacts.ts';
import { bulkLog } from './bulk-log.ts';
import { caches } from './caches.ts';
import { chainOfTrust } from './chain-of-trust.ts';
import { devices } from './devices.ts';
import type { Feature } from './feature.ts';
import { localLiveLog } from './local-live-log.ts';
import { ownCore } from './own-core.ts';
import { privileged } from './privileged.ts';
import { relengAPIProxy } from './relengapi-proxy.ts';
import { taskclusterProxy } from './taskcluster-proxy.ts';

/** Every feature there is, in the order in which problems are told. */
export const features: readonly Feature[] = [
  localLiveLog,
  artifacts,
  chainOfTrust,
  bulkLog,
  taskclusterProxy,
  relengAPIProxy,
  privileged,
  devices,
  ownCore,
  caches,
];
