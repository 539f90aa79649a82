import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import manifest from '../package.json' with { type: 'json' };
import { RelengapiConfig } from './relengapi-config.ts';

export { type Permissions, permissionScopePrefix, permissionsFromScopes } from './permissions.ts';
export { RelengapiSettings } from './route-settings.ts';

/** What the worker needs to run relengapi-proxy beside a task. */
export const relengapiProxy = {
  name: 'relengapi-proxy',
  image: 'docker-worker/relengapi-proxy',
  version: manifest.version,
  alias: 'relengapi',
  port: 80,
  config: RelengapiConfig,
} satisfies Sidecar;
