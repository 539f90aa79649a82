// A line for each feature; all else that has to know of them takes them from `index.ts`.
export { allowPtrace } from './allow-ptrace/allow-ptrace.ts';
export { artifacts } from './artifacts/artifacts.ts';
export { caches } from './caches/caches.ts';
export { chainOfTrust } from './chain-of-trust/chain-of-trust.ts';
export { devices } from './devices/devices.ts';
export { ownCore } from './devices/own-core.ts';
export { privileged } from './devices/privileged.ts';
export { dockerSave } from './docker-save/docker-save.ts';
export { interactive } from './interactive/interactive.ts';
export { bulkLog } from './logs/bulk-log.ts';
export { localLiveLog } from './logs/local-live-log.ts';
export { relengAPIProxy } from './relengapi-proxy/relengapi-proxy.ts';
export { taskclusterProxy } from './taskcluster-proxy/taskcluster-proxy.ts';
export { phone } from './testdroid-proxy/phone.ts';
export { testdroidProxyFeature } from './testdroid-proxy/testdroid-proxy.ts';
