import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import manifest from '../package.json' with { type: 'json' };
import { TcProxyConfig } from './tc-proxy-config.ts';

/** What the worker needs to run tc-proxy beside a task. */
export const tcProxy = {
  name: 'tc-proxy',
  image: 'docker-worker/tc-proxy',
  version: manifest.version,
  alias: 'taskcluster',
  port: 80,
  config: TcProxyConfig,
} satisfies Sidecar;
