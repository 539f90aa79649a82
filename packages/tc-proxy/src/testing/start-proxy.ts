import { listen, type Registry, RequestMetrics } from '@docker-worker/service-kit';
import { testContext } from '@docker-worker/service-kit/testing/service-context';
import type { Dispatcher } from 'undici';
import type { RetryPolicy } from '../forward/retry-policy.ts';
import { CredentialHolder } from '../signing/credential-holder.ts';
import type { ProxyCredentials } from '../signing/proxy-credentials.ts';
import { TargetGuard, type TargetGuardOptions } from '../target/target-guard.ts';
import { createTcProxyApp } from '../tc-proxy-app.ts';
import { createUpstreams, type UpstreamsOptions } from '../upstream/upstreams.ts';
import { permanent } from './hawk-upstream.ts';

export interface TestProxyOptions {
  credentials?: ProxyCredentials;
  authorizedScopes?: string[];
  credentialsEndpoint?: boolean;
  /** Takes the place of all connections to upstreams. */
  dispatcher?: Dispatcher;
  guard?: TargetGuardOptions;
  /** Default: 127.0.0.1. */
  address?: string;
  upstreams?: Partial<UpstreamsOptions>;
  /** Default: each request is sent once. */
  retry?: RetryPolicy;
}

export interface TestProxy extends AsyncDisposable {
  port: number;
  metrics: Registry;
  log(): string;
  /** Resolves when the log contains the text. */
  logHas(text: string): Promise<void>;
  /** Stops accepting; resolves when nothing is in flight. */
  drain(): Promise<void>;
}

/** The proxy in this process, in front of `rootUrl`. */
export async function startProxy(rootUrl: string, options: TestProxyOptions = {}): Promise<TestProxy> {
  const { credentials = permanent, authorizedScopes, credentialsEndpoint = false } = options;
  const { dispatcher, retry = { deadlineMs: 0, anyMethod: false } } = options;
  const guard = new TargetGuard(options.guard);
  const upstreams = createUpstreams({
    rootOrigin: new URL(rootUrl).origin,
    ...{ guard, connectTimeoutMs: 10_000, headersTimeoutMs: 10_000 },
    ...options.upstreams,
  });
  const context = testContext('tc-proxy');
  const { logger, version, revision } = context;
  const app = createTcProxyApp({
    rootUrl,
    credentials: new CredentialHolder(credentials, { authorizedScopes, version, revision }),
    credentialsEndpoint,
    upstreams: dispatcher ? { root: dispatcher, hosts: dispatcher } : upstreams,
    guard,
    retry,
    metrics: new RequestMetrics(context.metrics),
    logger,
  });
  const port = await listen(app, 0, options.address ?? '127.0.0.1');
  return {
    port,
    metrics: context.metrics,
    log: context.log,
    logHas: context.logHas,
    drain: async () => {
      await app.close();
    },
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
      await upstreams[Symbol.asyncDispose]();
      await dispatcher?.destroy();
    },
  };
}
