import { type RunningService, type ServiceContext, ServiceError } from '@docker-worker/service-kit';
import { dropPrivileges } from './drop-privileges.ts';
import { makeTunnel } from './make-tunnel.ts';
import { serve } from './serve.ts';
import { VpnProxyConfig } from './vpn-config.ts';

export { VpnProxyConfig as config };

/**
 * What needs privileges comes first: the VPN's files, the routes, the process that will run the tunnel.
 * Then this process gives its own up, and only then opens the port and tells the tunnel to connect.
 */
export async function start(config: VpnProxyConfig, context: ServiceContext): Promise<RunningService> {
  const { upstream } = config;
  if (upstream === undefined) throw new ServiceError('Environment variable PROXIED_SERVER must be set.');
  const tunnel = await makeTunnel(config, context);
  dropPrivileges();
  return serve({ ...config, upstream }, context, tunnel);
}
