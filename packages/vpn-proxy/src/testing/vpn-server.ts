import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { vpnProxy } from '../sidecar.ts';
import { openvpnSettings } from './openvpn-settings.ts';
import { relayTcp, relayUdp } from './relay.ts';
import { wireguardSettings } from './wireguard-settings.ts';

/** The upstream's addresses and name, known behind the tunnel only. */
export const upstreamAddress = '10.77.0.1';
export const upstreamAddress6 = 'fd77::1';
export const upstreamName = 'upstream.corp.test';

export type VpnKind = 'openvpn-tcp' | 'openvpn-udp' | 'wireguard';

export interface VpnServer extends AsyncDisposable {
  /** Id of the container. */
  container: string;
  /** Name and password that the server takes. */
  user: { name: string; password: string };
  /** Parts of the client's files that nobody must be told. */
  secrets: string[];
  /** Contents of a client's configuration folder. */
  clientFiles: Record<string, string>;
  /** The same as the `configure` message carries it. */
  encodedFiles: Record<string, string>;
  /** PEM certificate of the upstream, signed by nobody but itself. */
  upstreamCertificate: string;
  /** Kills the VPN's program, and with it every tunnel. */
  kill(): Promise<void>;
  /** Starts it again. */
  restart(): Promise<void>;
}

/**
 * A real VPN server in a container, from the image of vpn-proxy, with an upstream behind it. Clients
 * reach it at `host`, an address of this machine, by a relay in this process: networks of containers are
 * kept apart from each other.
 */
export async function startVpnServer(host: string, kind: VpnKind = 'openvpn-tcp'): Promise<VpnServer> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'vpn-server-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const settings = settingsOf(kind);
  const upstream = selfSigned(`DNS:${upstreamName}`);
  const addresses = { upstreamAddress, upstreamAddress6, upstreamName };
  const files = {
    ...settings.serverFiles,
    'settings.json': JSON.stringify({ kind, ...addresses }),
    'upstream.key': upstream.key,
    'upstream.crt': upstream.cert,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  await copyFile(join(import.meta.dirname, 'server-program.mjs'), join(folder, 'program.mjs'));

  const container = await docker(
    ...['run', '--detach', '--rm', '--init', '--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN'],
    ...['--cap-add', 'KILL', '--device', '/dev/net/tun', '--sysctl', withIpv6],
    ...['--volume', `${folder}:/server:ro`, '--entrypoint', 'node'],
    ...[`${vpnProxy.image}:${vpnProxy.version}`, '/server/program.mjs'],
  );
  starting.defer(async () => {
    await docker('rm', '--force', container);
  });
  await serverIsUp(container, settings.readyText, 1);
  const address = await docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', container);
  const relay = starting.use(
    await (settings.protocol === 'tcp' ? relayTcp : relayUdp)(host, { address, port: 1194 }),
  );
  const clientFiles = settings.clientFiles(host, relay.port);
  let starts = 1;
  const resources = starting.move();
  return {
    container,
    user: settings.user,
    secrets: settings.secrets,
    clientFiles,
    encodedFiles: encoded(clientFiles),
    upstreamCertificate: upstream.cert,
    async kill() {
      await docker('kill', '--signal', 'USR2', container);
    },
    async restart() {
      await docker('kill', '--signal', 'HUP', container);
      await serverIsUp(container, settings.readyText, ++starts);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Docker turns IPv6 off in containers on networks without it, also for a tunnel's interface. */
export const withIpv6 = 'net.ipv6.conf.all.disable_ipv6=0';

/** Files as the `configure` message carries them. */
export function encoded(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
}

/** Runs the Docker command line; resolves to what it prints. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

function settingsOf(kind: VpnKind) {
  if (kind === 'wireguard') return wireguardSettings(upstreamAddress);
  return openvpnSettings(kind === 'openvpn-tcp' ? 'tcp' : 'udp', [
    `route ${upstreamAddress} 255.255.255.255`,
    `dhcp-option DNS ${upstreamAddress}`,
  ]);
}

/** Resolves when the container has told `times` times that its server is complete. */
async function serverIsUp(container: string, readyText: string, times: number): Promise<void> {
  const logs = spawn('docker', ['logs', '--follow', container], { stdio: ['ignore', 'pipe', 'ignore'] });
  let seen = 0;
  let text = '';
  for await (const line of createInterface({ input: logs.stdout })) {
    text += `${line}\n`;
    if (line.includes(readyText) && ++seen === times) {
      logs.kill();
      return;
    }
  }
  throw new Error(`the VPN server ended:\n${text}`);
}
