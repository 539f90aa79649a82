import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen } from '@docker-worker/service-kit';
import { testContext } from '@docker-worker/service-kit/testing/service-context';
import { createExecWsApp, type ExecWsAppOptions } from '../http/exec-ws-app.ts';
import { buildPage } from '../page/build.ts';
import type { PageSessionOptions } from '../session/page-session.ts';
import { Sessions } from '../session/sessions.ts';
import { ShellServer } from '../session/shell-server.ts';
import { shellCommand } from '../shell/shell-command.ts';
import { ShellHost } from '../shell/shell-host.ts';
import { docker } from './container.ts';

export interface TestServerOptions {
  maxSessions?: number;
  graceSeconds?: number;
  limits?: Partial<ExecWsAppOptions['limits']>;
  origins?: string[];
  tls?: { cert: string; key: string };
  page?: Partial<PageSessionOptions>;
  shell?: string[];
  /** Builds the page too. */
  withPage?: boolean;
}

export interface TestServer extends AsyncDisposable {
  secret: string;
  port: number;
  sessions: Sessions;
  shells: ShellServer;
  /** `ws://127.0.0.1:<port>/<path>` */
  url(path: string): string;
  /** The address for clients of version 1. */
  v1: string;
  v2: string;
  log(): string;
}

/** The server in this process, in front of a container. */
export async function startServer(container: string, options: TestServerOptions = {}): Promise<TestServer> {
  await using starting = new AsyncDisposableStack();
  const assets = await mkdtemp(join(tmpdir(), 'exec-ws-page-'));
  starting.defer(() => rm(assets, { recursive: true }));
  if (options.withPage) {
    await buildPage(assets);
  }
  const secret = randomBytes(16).toString('base64url');
  const { logger, log } = testContext('exec-ws-server');
  const sessions = new Sessions(options.maxSessions ?? 10);
  const shells = new ShellServer({
    host: new ShellHost({
      docker,
      container,
      supervisor: ['sh'],
      graceSeconds: options.graceSeconds ?? 1,
      logger,
    }),
    sessions,
    shell: options.shell ?? shellCommand(['sh']),
    page: { resumeSeconds: 60, ...options.page },
  });
  const app = createExecWsApp({
    secret,
    shells,
    origins: options.origins ?? [],
    limits: {
      messagesPerSecond: 5_000,
      heartbeatSeconds: 20,
      maxMessageBytes: 16 * 1024 * 1024,
      connectionsPerSecond: 50,
      connectionBurst: 50,
      ...options.limits,
    },
    tls: options.tls,
    assets,
    logger,
  });
  const port = await listen(app, 0, '127.0.0.1');
  starting.defer(async () => {
    await shells.shutDown();
    app.server.closeAllConnections();
    await app.close();
  });
  const resources = starting.move();
  const url = (path: string) => `${options.tls ? 'wss' : 'ws'}://127.0.0.1:${port}/${path}`;
  return {
    secret,
    port,
    sessions,
    shells,
    url,
    v1: url(`${secret}/shell.sock`),
    v2: url(`shell/${secret}`),
    log,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
