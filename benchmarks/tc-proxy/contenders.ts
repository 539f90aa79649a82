import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { proxyConfig, upstreamConfig } from './nginx-config.ts';
import { PinnedProcess } from './pinned-process.ts';

/** The proxy under test has this core for itself; everything else shares the other. */
export const proxyCore = 0;
export const otherCore = 1;

export const contenderNames = [
  'nginx, unsigned',
  'nginx, unsigned, buffering',
  'tc-proxy',
  'stock http-proxy',
  'bare relay, unsigned',
] as const;
export type ContenderName = (typeof contenderNames)[number];

export interface Setting {
  /** For files of this run. */
  folder: string;
  /** The file of tc-proxy's bundle that is run. */
  bundle: string;
  port: number;
  upstreamPort: number;
}

/** Starts a contender in front of the upstream. */
export function startContender(name: ContenderName, setting: Setting): Promise<PinnedProcess> {
  const { folder, bundle, port, upstreamPort } = setting;
  const nginx = (buffering: boolean) =>
    startNginx(proxyCore, folder, port, proxyConfig(folder, port, { upstreamPort, buffering }));
  switch (name) {
    case 'nginx, unsigned':
      return nginx(false);
    case 'nginx, unsigned, buffering':
      return nginx(true);
    case 'tc-proxy': {
      const env = tcProxyEnv(folder, upstreamPort);
      return PinnedProcess.start(proxyCore, tcProxyCommand(bundle, port), port, env);
    }
    case 'stock http-proxy':
      return startScript('stock-http-proxy.ts', port, upstreamPort);
    case 'bare relay, unsigned':
      return startScript('bare-relay.ts', port, upstreamPort);
  }
}

function startScript(name: string, port: number, upstreamPort: number): Promise<PinnedProcess> {
  const argv = [
    process.execPath,
    '--no-warnings',
    join(import.meta.dirname, name),
    String(upstreamPort),
    String(port),
  ];
  return PinnedProcess.start(proxyCore, argv, port);
}

/** As in the image. */
export function tcProxyCommand(bundle: string, port: number): string[] {
  return [process.execPath, '--max-semi-space-size=8', bundle, '--port', String(port), '--admin-port', '0'];
}

/** The first process that ends in peace fills the compile cache in `folder` for those after it. */
export function tcProxyEnv(folder: string, upstreamPort: number): Record<string, string> {
  return {
    TASKCLUSTER_ROOT_URL: `http://127.0.0.1:${upstreamPort}`,
    TASKCLUSTER_CLIENT_ID: 'tester',
    TASKCLUSTER_ACCESS_TOKEN: 'no-secret-but-long-enough',
    // As in the image.
    NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
  };
}

export function startJsonUpstream(folder: string, port: number): Promise<PinnedProcess> {
  return startNginx(otherCore, folder, port, upstreamConfig(folder, port));
}

export function startStreamUpstream(port: number): Promise<PinnedProcess> {
  const script = join(import.meta.dirname, 'stream-upstream.ts');
  return PinnedProcess.start(otherCore, [process.execPath, '--no-warnings', script, String(port)], port);
}

function startNginx(core: number, folder: string, port: number, config: string): Promise<PinnedProcess> {
  const file = join(folder, `nginx-${port}.conf`);
  writeFileSync(file, config);
  return PinnedProcess.start(core, ['nginx', '-p', folder, '-c', file], port);
}
