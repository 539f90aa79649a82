import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@docker-worker/service-kit';
import type { VpnFiles, VpnProxyConfig } from '../vpn-config.ts';
import { proxyUser } from './drop-privileges.ts';
import { installKillSwitch } from './kill-switch.ts';
import { OpenvpnTunnel } from './openvpn/openvpn-tunnel.ts';
import { directWay, type Tunnel } from './tunnel.ts';
import { vpnFolder } from './vpn-files.ts';
import { parseWireguardConfig, type WireguardConfig } from './wireguard/wireguard-config.ts';
import { WireguardTunnel } from './wireguard/wireguard-tunnel.ts';

/** Makes everything about the tunnel that needs privileges; it does not connect yet. @throws ServiceError */
export async function makeTunnel(
  { tunnel, vpn }: VpnProxyConfig,
  { logger, learnSecret }: { logger: Logger; learnSecret(secret: string): void },
): Promise<Tunnel> {
  if (tunnel === 'none') return directWay();
  const { directory, wireguard } = await readVpn(vpn, { tunnel, learnSecret });
  await installKillSwitch(proxyUser);
  if (wireguard) return WireguardTunnel.make(wireguard, logger);
  const socketFolder = await mkdtemp(join(tmpdir(), 'management-'));
  const socketPath = join(socketFolder, 'socket');
  return OpenvpnTunnel.listen({ directory, config: vpn.config, socketPath, logger });
}

/** What the VPN's files say, as far as it can be seen to be wrong before its program runs. @throws ServiceError */
export async function readVpn(
  vpn: VpnFiles,
  { tunnel, learnSecret }: { tunnel: 'openvpn' | 'wireguard'; learnSecret(secret: string): void },
): Promise<{ directory: string; wireguard?: WireguardConfig }> {
  const directory = await vpnFolder(vpn, learnSecret);
  if (tunnel === 'openvpn') return { directory };
  const text = await readFile(join(directory, vpn.config), 'utf8');
  return { directory, wireguard: parseWireguardConfig(text) };
}
