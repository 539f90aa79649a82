import {
  createLogger,
  createUpstreamDispatcher,
  listen,
  Redactor,
  Registry,
  RequestMetrics,
} from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import { CredentialHolder } from '../credential-holder.ts';
import type { ProxyCredentials } from '../proxy-credentials.ts';
import { createTcProxyApp } from '../tc-proxy-app.ts';
import { permanent } from './hawk-upstream.ts';

export interface TestProxyOptions {
  credentials?: ProxyCredentials;
  authorizedScopes?: string[];
  credentialsEndpoint?: boolean;
  dispatcher?: Dispatcher;
}

export interface TestProxy extends AsyncDisposable {
  port: number;
  metrics: Registry;
  log(): string;
  /** Stops accepting; resolves when nothing is in flight. */
  drain(): Promise<void>;
}

/** The proxy in this process, in front of `rootUrl`. */
export async function startProxy(rootUrl: string, options: TestProxyOptions = {}): Promise<TestProxy> {
  const { credentials = permanent, authorizedScopes, credentialsEndpoint = false } = options;
  const dispatcher = options.dispatcher ?? createUpstreamDispatcher();
  const registry = new Registry();
  let log = '';
  const app = createTcProxyApp({
    rootUrl,
    credentials: new CredentialHolder(credentials, {
      authorizedScopes,
      version: '9.8.7',
      revision: 'abcdef',
    }),
    credentialsEndpoint,
    dispatcher,
    metrics: new RequestMetrics(registry),
    logger: createLogger({
      name: 'tc-proxy',
      level: 'debug',
      redactor: new Redactor(),
      stream: {
        write: (line) => {
          log += line;
        },
      },
    }),
  });
  const port = await listen(app, 0, '127.0.0.1');
  return {
    port,
    metrics: registry,
    log: () => log,
    drain: async () => {
      await app.close();
    },
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
      await dispatcher.destroy();
    },
  };
}
