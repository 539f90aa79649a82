import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import { vpnProxy } from '@docker-worker/vpn-proxy/sidecar';
import type { WorkerConfig } from '../../config/config.ts';
import { type Feature, sidecarRequest } from '../feature.ts';
import { balrogFeatures, type VpnProxySettings } from './settings.ts';

type VpnSidecar = Sidecar<typeof vpnProxy.config>;

/** The service tells why it is not ready before the worker loses its patience. */
const tellingSeconds = 2;

/** A control message has to carry the whole folder. */
const largestFolderBytes = 2 * 1024 * 1024;

/** The Balrog features, and one for each further server in the configuration: `http://<alias>` in the task. */
export function vpnFeatures(config: WorkerConfig): Feature[] {
  const names = new Set<string>([...balrogFeatures, ...Object.keys(config.vpnProxies)]);
  return [...names].map((name) => vpnFeature(name, config.vpnProxies[name]));
}

function vpnFeature(name: string, settings: VpnProxySettings | undefined): Feature {
  if (settings === undefined) {
    return { name, defaultOn: false, unavailable: () => `its configuration has no "vpnProxies.${name}"` };
  }
  const sidecar = sidecarOf(name, settings.alias ?? usualAlias(name), settings.ipv6);
  return {
    name,
    defaultOn: false,
    sidecars: [sidecar],
    unavailable: () =>
      settings.tunnel !== 'none' && settings.vpn === undefined
        ? `"vpnProxies.${name}" names no folder "vpn"`
        : undefined,
    requiredScopes: () => [settings.scope ?? `docker-worker:feature:${name}`],
    async prepare({ host }) {
      const { upstream, tunnel, resolve, probe, connectTimeout, headersTimeout, vpn, vpnConfig, ca } =
        settings;
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
  return (balrogFeatures as readonly string[]).includes(name) ? 'balrog' : name.toLowerCase();
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
