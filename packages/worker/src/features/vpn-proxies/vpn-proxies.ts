import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import { vpnProxy } from '@docker-worker/vpn-proxy/sidecar';
import { settingsOf } from '../../config/config.ts';
import { type Feature, type FeatureFamily, sidecarRequest } from '../feature.ts';
import { settings, type VpnProxySettings } from './settings.ts';

type VpnSidecar = Sidecar<typeof vpnProxy.config>;

/** The service tells why it is not ready before the worker loses its patience. */
const tellingSeconds = 2;

/** A control message has to carry the whole folder. */
const largestFolderBytes = 2 * 1024 * 1024;

/** Those that the payload schema has always known, and what it says of them. */
const balrogFeatures: Record<string, string> = {
  balrogVPNProxy: 'Reaches the Balrog admin server at http://balrog',
  balrogStageVPNProxy: 'Reaches the Balrog stage admin server at http://balrog',
};

/** The Balrog features, and one for each further server in the configuration: `http://<alias>` in the task. */
export const vpnProxies: FeatureFamily = {
  key: 'vpnProxies',
  settings,
  features(config) {
    const servers = config === undefined ? {} : settingsOf(config, settings).vpnProxies;
    const names = new Set([...Object.keys(balrogFeatures), ...Object.keys(servers)]);
    return [...names].map((name) => vpnFeature(name, servers[name]));
  },
};

function vpnFeature(name: string, server: VpnProxySettings | undefined): Feature {
  const basis = {
    name,
    defaultOn: false,
    description: balrogFeatures[name] ?? 'Reaches a server through a VPN',
  };
  if (server === undefined) {
    return { ...basis, unavailable: () => `its configuration has no "vpnProxies.${name}"` };
  }
  const sidecar = sidecarOf(name, server.alias ?? usualAlias(name), server.ipv6);
  return {
    ...basis,
    sidecars: [sidecar],
    unavailable: () =>
      server.tunnel !== 'none' && server.vpn === undefined
        ? `"vpnProxies.${name}" names no folder "vpn"`
        : undefined,
    requiredScopes: () => [server.scope ?? `docker-worker:feature:${name}`],
    async prepare({ host }) {
      const { upstream, tunnel, resolve, probe, connectTimeout, headersTimeout, vpn, vpnConfig, ca } = server;
      return {
        sidecars: [
          sidecarRequest(sidecar, {
            ...{ upstream, tunnel, resolve, probe, connectTimeout, headersTimeout },
            vpn: vpn === undefined ? {} : { files: await folderContents(vpn), config: vpnConfig },
            ca: ca === undefined ? undefined : await readFile(ca, 'utf8'),
            waitSeconds: Math.max(1, host.config.sidecars.readySeconds - tellingSeconds),
          }),
        ],
      };
    },
  };
}

function usualAlias(name: string): string {
  return Object.hasOwn(balrogFeatures, name) ? 'balrog' : name.toLowerCase();
}

/** Docker turns IPv6 off on networks without it, for the tunnel's interface as well. */
const ipv6Sysctls = { 'net.ipv6.conf.all.disable_ipv6': '0' };

const sidecars = new Map<string, VpnSidecar>();

/** The same object for the same feature: who made a sidecar ahead compares by identity. */
function sidecarOf(name: string, alias: string, ipv6: boolean): VpnSidecar {
  const key = `${name} ${alias} ${ipv6}`;
  const known = sidecars.get(key) ?? {
    ...vpnProxy,
    name: `${vpnProxy.name}-${name}`,
    alias,
    ...(ipv6 ? { sysctls: ipv6Sysctls } : {}),
  };
  sidecars.set(key, known);
  return known;
}

/** Files below a folder by their paths, base64. */
async function folderContents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  let bytes = 0;
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path);
    bytes += content.length;
    if (bytes > largestFolderBytes) {
      throw new Error(`the folder ${folder} holds more than ${largestFolderBytes} bytes`);
    }
    files[path.slice(folder.replace(/\/+$/, '').length + 1)] = content.toString('base64');
  }
  return files;
}
