import { randomBytes } from 'node:crypto';
import { Gauge, listen, type RunningService, type ServiceContext } from '@docker-worker/service-kit';
import Docker from 'dockerode';
import { ExecWsConfig } from './exec-ws-config.ts';
import { createExecWsApp } from './http/exec-ws-app.ts';
import { builtAssets } from './http/page-assets.ts';
import { Sessions } from './session/sessions.ts';
import { ShellServer } from './session/shell-server.ts';
import { shellCommand } from './shell/shell-command.ts';
import { ShellHost } from './shell/shell-host.ts';

export { ExecWsConfig as config };

export async function start(config: ExecWsConfig, context: ServiceContext): Promise<RunningService> {
  const { container, engineSocket, busybox, cert, key, maxSessions } = config;
  const { logger, announce, metrics } = context;
  const secret = config.secret ?? randomBytes(16).toString('base64url');
  const supervisor = busybox === undefined ? ['sh'] : [busybox, 'sh'];
  const gauge = new Gauge({
    name: 'exec_ws_sessions',
    help: 'Sessions that are open.',
    registers: [metrics],
  });
  const shells = new ShellServer({
    host: new ShellHost({
      docker: engineSocket === undefined ? new Docker() : new Docker({ socketPath: engineSocket }),
      container,
      supervisor,
      graceSeconds: config.hangUpSeconds,
      logger,
    }),
    sessions: new Sessions(maxSessions, gauge),
    shell: config.shell ?? shellCommand(supervisor, busybox),
    page: {
      resumeSeconds: config.resumeSeconds,
      task: config.task,
      endsAt: config.endsAt === undefined ? undefined : Date.parse(config.endsAt),
    },
  });
  const app = createExecWsApp({
    secret,
    shells,
    origins: config.origins.map((origin) => new URL(origin).origin),
    limits: {
      messagesPerSecond: config.messagesPerSecond,
      heartbeatSeconds: config.heartbeatSeconds,
      maxMessageBytes: config.maxMessageBytes,
      connectionsPerSecond: config.connectionsPerSecond,
      // So that a place which is asked for in vain can be refused in the words of the protocol.
      connectionBurst: 3 * maxSessions,
    },
    ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }),
    assets: builtAssets(),
    logger,
  });
  const port = await listen(app, config.port, config.address);

  announce(`Serving the container ${container} on ${config.address ?? 'all interfaces'} port ${port}`);
  if (config.secret === undefined) {
    announce(
      `Page: ${cert === undefined ? 'http' : 'https'}://${config.address ?? 'localhost'}:${port}/${secret}/`,
    );
  }
  if (config.unrestricted) {
    announce('Warning: this process holds the whole Docker Engine');
  }
  return {
    port,
    drain: async () => {
      await shells.shutDown();
      app.server.closeAllConnections();
      await app.close();
    },
    destroy: () => app.server.closeAllConnections(),
  };
}
