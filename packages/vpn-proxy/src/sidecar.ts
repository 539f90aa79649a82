import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import manifest from '../package.json' with { type: 'json' };
import { VpnProxyConfig } from './vpn-config.ts';

export { upstreamShape } from './vpn-config.ts';

/**
 * What the worker needs to run vpn-proxy beside a task. NET_ADMIN is the tunnel's; with SETUID and SETGID
 * the process that serves HTTP gives all of them up before it accepts the first connection.
 */
export const vpnProxy = {
  name: 'vpn-proxy',
  image: 'docker-worker/vpn-proxy',
  version: manifest.version,
  alias: 'balrog',
  port: 80,
  config: VpnProxyConfig,
  capabilities: ['NET_ADMIN', 'SETUID', 'SETGID'],
  devices: ['/dev/net/tun'],
} satisfies Sidecar;
