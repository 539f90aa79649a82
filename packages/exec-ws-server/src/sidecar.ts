import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import manifest from '../package.json' with { type: 'json' };
import { ExecWsConfig } from './exec-ws-config.ts';

export { code as frameCode } from './session/frames-v1.ts';
export { shellCommand } from './shell/shell-command.ts';

/** What the worker needs to run exec-ws-server beside a task. */
export const execWsServer = {
  name: 'exec-ws-server',
  image: 'docker-worker/exec-ws-server',
  version: manifest.version,
  alias: 'interactive',
  port: 80,
  config: ExecWsConfig,
  publish: true,
  sockets: '/run/docker-worker',
} satisfies Sidecar<typeof ExecWsConfig>;

/** Folder of the image with static programs for the containers that are served: `busybox` and `tini`. */
export const programsForContainers = '/opt/for-containers';
