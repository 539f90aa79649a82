import { type RunningService, type ServiceContext, ServiceError } from '@docker-worker/service-kit';
import { serve } from './serve.ts';
import { dropPrivileges } from './tunnel/drop-privileges.ts';
import { makeTunnel, readVpn } from './tunnel/make-tunnel.ts';
import { VpnProxyConfig } from './vpn-config.ts';

export { VpnProxyConfig as config };

/** Reads the VPN's files as a start would. */
export async function check({ upstream, tunnel, vpn }: VpnProxyConfig): Promise<void> {
  if (upstream === undefined) throw missingUpstream();
  if (tunnel !== 'none') await readVpn(vpn, { tunnel, learnSecret: () => {} });
}

/**
 * What needs privileges comes first: the VPN's files, the routes, the process that will run the tunnel.
 * Then this process gives its own up, and only then opens the port and tells the tunnel to connect.
 */
export async function start(config: VpnProxyConfig, context: ServiceContext): Promise<RunningService> {
  const { upstream } = config;
  if (upstream === undefined) throw missingUpstream();
  const tunnel = await makeTunnel(config, context);
  dropPrivileges();
  return serve({ ...config, upstream }, context, tunnel);
}

/** In the words of the original. */
function missingUpstream(): ServiceError {
  return new ServiceError('Environment variable PROXIED_SERVER must be set.');
}
