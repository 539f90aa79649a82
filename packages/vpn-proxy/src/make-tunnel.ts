import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@docker-worker/service-kit';
import { proxyUser } from './drop-privileges.ts';
import { installKillSwitch } from './kill-switch.ts';
import { OpenvpnTunnel } from './openvpn-tunnel.ts';
import { directWay, type Tunnel } from './tunnel.ts';
import type { VpnProxyConfig } from './vpn-config.ts';
import { vpnFolder } from './vpn-files.ts';
import { parseWireguardConfig } from './wireguard-config.ts';
import { WireguardTunnel } from './wireguard-tunnel.ts';

/** Makes everything about the tunnel that needs privileges; it does not connect yet. @throws ServiceError */
export async function makeTunnel(
  { tunnel, vpn }: VpnProxyConfig,
  { logger, learnSecret }: { logger: Logger; learnSecret(secret: string): void },
): Promise<Tunnel> {
  if (tunnel === 'none') return directWay();
  const directory = await vpnFolder(vpn, learnSecret);
  if (tunnel === 'wireguard') {
    const config = parseWireguardConfig(await readFile(join(directory, vpn.config), 'utf8'));
    await installKillSwitch(proxyUser);
    return WireguardTunnel.make(config, logger);
  }
  await installKillSwitch(proxyUser);
  const socketFolder = await mkdtemp(join(tmpdir(), 'management-'));
  const socketPath = join(socketFolder, 'socket');
  return OpenvpnTunnel.listen({ directory, config: vpn.config, socketPath, logger });
}
