import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vpnProxy } from '../sidecar.ts';
import { docker, withIpv6 } from './vpn-server.ts';

export interface ProxyContainer extends AsyncDisposable {
  id: string;
  /** Base of its URLs, reachable from this machine. */
  url: string;
  port: number;
  address: string;
  /** Resolves to the text of the log as soon as it contains that text; rejects when the container ends first. */
  logHas(text: string): Promise<string>;
  /** Exit code. */
  ended(): Promise<number>;
  exec(...command: string[]): Promise<string>;
}

export interface ProxyContainerOptions {
  /** Contents of the mounted folder `/vpn`. */
  files: Record<string, string>;
  /** Variables of the container. */
  env: Record<string, string>;
  /** Whether the tunnel's interface may have IPv6; default false, as Docker starts containers. */
  ipv6?: boolean;
}

/** vpn-proxy as a person runs it: from its image, with a mounted folder and no more privileges than it needs. */
export async function startProxyContainer({
  files,
  env,
  ipv6 = false,
}: ProxyContainerOptions): Promise<ProxyContainer> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'vpn-proxy-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o644 });
  }
  await chmod(folder, 0o755);
  const capabilities = vpnProxy.capabilities.flatMap((name) => ['--cap-add', name]);
  const id = await docker(
    ...['run', '--detach', '--cap-drop', 'ALL', ...capabilities, '--device', '/dev/net/tun'],
    ...['--security-opt', 'no-new-privileges', '--read-only', '--tmpfs', '/tmp'],
    ...(ipv6 ? ['--sysctl', withIpv6] : []),
    ...['--volume', `${folder}:/vpn:ro`],
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    `${vpnProxy.image}:${vpnProxy.version}`,
  );
  starting.defer(async () => {
    await docker('rm', '--force', '--volumes', id);
  });
  const address = await docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', id);
  const resources = starting.move();
  return {
    id,
    address,
    port: 80,
    url: `http://${address}`,
    logHas: (text) => logHas(id, text),
    ended: async () => Number(await docker('wait', id)),
    exec: (...command) => docker('exec', id, ...command),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function logHas(id: string, text: string): Promise<string> {
  const logs = spawn('docker', ['logs', '--follow', id], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const ended = once(logs, 'close').then(() => {
    throw new Error(`the proxy ended:\n${log}`);
  });
  const found = new Promise<string>((resolve) => {
    const add = (chunk: Buffer) => {
      log += chunk;
      if (log.includes(text)) resolve(log);
    };
    logs.stdout.on('data', add);
    logs.stderr.on('data', add);
  });
  try {
    return await Promise.race([found, ended]);
  } finally {
    ended.catch(() => {});
    logs.kill();
  }
}
