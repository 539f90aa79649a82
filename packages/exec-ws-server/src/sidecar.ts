import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import manifest from '../package.json' with { type: 'json' };
import { ExecWsConfig } from './exec-ws-config.ts';

/** What the worker needs to run exec-ws-server beside a task. */
export const execWsServer = {
  name: 'exec-ws-server',
  image: 'docker-worker/exec-ws-server',
  version: manifest.version,
  alias: 'interactive',
  port: 80,
  config: ExecWsConfig,
  publish: true,
} satisfies Sidecar;
