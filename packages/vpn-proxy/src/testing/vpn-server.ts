import { execFile, spawn } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { vpnProxy } from '../sidecar.ts';

/** The upstream's address and name, known behind the tunnel only. */
export const upstreamAddress = '10.77.0.1';
export const upstreamName = 'upstream.corp.test';

export interface VpnServer extends AsyncDisposable {
  /** Id of the container. */
  container: string;
  /** Name and password that the server takes. */
  user: { name: string; password: string };
  /** Contents of a client's configuration folder. */
  clientFiles: Record<string, string>;
  /** The same as the `configure` message carries it. */
  encodedFiles: Record<string, string>;
  /** PEM certificate of the upstream, signed by nobody but itself. */
  upstreamCertificate: string;
  /** Kills OpenVPN, and with it every tunnel. */
  kill(): Promise<void>;
  /** Starts it again. */
  restart(): Promise<void>;
}

/**
 * A real OpenVPN server in a container, from the image of vpn-proxy, with an upstream behind it. Clients
 * reach it at `host`, an address of this machine, by a relay in this process: networks of containers are
 * kept apart from each other.
 */
export async function startVpnServer(host: string): Promise<VpnServer> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'vpn-server-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const user = { name: 'tester', password: `password-${randomBytes(12).toString('hex')}` };
  const [server, client, upstream] = [selfSigned(), selfSigned(), selfSigned(`DNS:${upstreamName}`)];
  const files = {
    'settings.json': JSON.stringify({ upstreamAddress, upstreamName }),
    'server.conf': serverConfig(client.cert),
    'server.key': server.key,
    'server.crt': server.cert,
    'upstream.key': upstream.key,
    'upstream.crt': upstream.cert,
    credentials: `${user.name}\n${user.password}\n`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  await copyFile(join(import.meta.dirname, 'server-program.mjs'), join(folder, 'program.mjs'));

  const container = await docker(
    ...[
      'run',
      '--detach',
      '--rm',
      '--init',
      '--cap-drop',
      'ALL',
      '--cap-add',
      'NET_ADMIN',
      '--cap-add',
      'KILL',
    ],
    ...['--device', '/dev/net/tun', '--volume', `${folder}:/server:ro`, '--entrypoint', 'node'],
    ...[`${vpnProxy.image}:${vpnProxy.version}`, '/server/program.mjs'],
  );
  starting.defer(async () => {
    await docker('rm', '--force', container);
  });
  await serverIsUp(container, 1);
  const address = await docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', container);
  const relay = starting.use(await relayTo(address, host));
  const clientFiles = {
    'config.conf': clientConfig(host, relay.port, server.cert),
    'client.key': client.key,
    'client.crt': client.cert,
    credentials: files.credentials,
  };
  let starts = 1;
  const resources = starting.move();
  return {
    container,
    user,
    clientFiles,
    encodedFiles: encoded(clientFiles),
    upstreamCertificate: upstream.cert,
    async kill() {
      await docker('kill', '--signal', 'USR2', container);
    },
    async restart() {
      await docker('kill', '--signal', 'HUP', container);
      await serverIsUp(container, ++starts);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

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

function serverConfig(clientCertificate: string): string {
  const verify = `/bin/sh -c 'cmp -s /server/credentials $1' verify`;
  return [
    'dev tun',
    'proto tcp-server',
    'port 1194',
    'mode server',
    'tls-server',
    'topology subnet',
    'server 10.99.0.0 255.255.255.0',
    'cert server.crt',
    'key server.key',
    'dh none',
    `peer-fingerprint ${new X509Certificate(clientCertificate).fingerprint256}`,
    'keepalive 2 6',
    `push "route ${upstreamAddress} 255.255.255.255"`,
    `push "dhcp-option DNS ${upstreamAddress}"`,
    'script-security 2',
    `auth-user-pass-verify "${verify}" via-file`,
  ].join('\n');
}

function clientConfig(host: string, port: number, serverCertificate: string): string {
  return [
    'client',
    'dev tun',
    'proto tcp',
    `remote ${host} ${port}`,
    'nobind',
    'cert client.crt',
    'key client.key',
    'auth-user-pass credentials',
    'connect-retry 1 2',
    `peer-fingerprint ${new X509Certificate(serverCertificate).fingerprint256}`,
  ].join('\n');
}

/** Resolves when the container has told `times` times that its server is complete. */
async function serverIsUp(container: string, times: number): Promise<void> {
  const logs = spawn('docker', ['logs', '--follow', container], { stdio: ['ignore', 'pipe', 'ignore'] });
  let seen = 0;
  let text = '';
  for await (const line of createInterface({ input: logs.stdout })) {
    text += `${line}\n`;
    if (line.includes('Initialization Sequence Completed') && ++seen === times) {
      logs.kill();
      return;
    }
  }
  throw new Error(`the VPN server ended:\n${text}`);
}

/** Passes connections to a port of this machine on to the server. */
async function relayTo(address: string, host: string): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(1194, address);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => {});
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
