import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, ServiceError } from '@docker-worker/service-kit';
import { proxyUser } from './drop-privileges.ts';
import { installKillSwitch } from './kill-switch.ts';
import { OpenvpnTunnel } from './openvpn-tunnel.ts';
import { directWay, type Tunnel } from './tunnel.ts';
import type { VpnProxyConfig } from './vpn-config.ts';
import { vpnFolder } from './vpn-files.ts';

/** Makes everything about the tunnel that needs privileges; it does not connect yet. @throws ServiceError */
export async function makeTunnel(
  { tunnel, vpn }: VpnProxyConfig,
  { logger, learnSecret }: { logger: Logger; learnSecret(secret: string): void },
): Promise<Tunnel> {
  if (tunnel === 'none') return directWay();
  if (tunnel === 'wireguard') throw new ServiceError('--tunnel wireguard: not in this version; use openvpn');
  const directory = await vpnFolder(vpn, learnSecret);
  await installKillSwitch(proxyUser);
  const socketFolder = await mkdtemp(join(tmpdir(), 'management-'));
  const socketPath = join(socketFolder, 'socket');
  return OpenvpnTunnel.listen({ directory, config: vpn.config, socketPath, logger });
}
