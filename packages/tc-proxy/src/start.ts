import {
  listen,
  RequestMetrics,
  type RunningService,
  type ServiceContext,
  ServiceError,
  taskScopes,
} from '@docker-worker/service-kit';
import { PeerGuard } from './peer/peer-guard.ts';
import { CredentialHolder } from './signing/credential-holder.ts';
import { TargetGuard } from './target/target-guard.ts';
import { createTcProxyApp } from './tc-proxy-app.ts';
import { TcProxyConfig } from './tc-proxy-config.ts';
import { createUpstreams } from './upstream/upstreams.ts';

export { TcProxyConfig as config };

/** Length of the signature's scope part from which front ends in use are known to refuse the request. */
const longExt = 7_000;

export async function start(config: TcProxyConfig, context: ServiceContext): Promise<RunningService> {
  const { rootUrl, credentialsEndpoint } = config;
  const { logger, version, revision, announce } = context;
  const guard = new TargetGuard({ allowHosts: config.allowHosts, denyAll: config.denyHostForm });
  const upstreams = createUpstreams({
    rootOrigin: new URL(rootUrl).origin,
    guard,
    connectTimeoutMs: config.connectTimeout * 1000,
    headersTimeoutMs: config.headersTimeout * 1000,
    ...(config.ca ? { ca: config.ca } : {}),
    ...(config.httpsProxy ? { httpsProxy: { url: config.httpsProxy, except: config.noProxy } } : {}),
  });
  const authorizedScopes = await restriction(config, (taskId) =>
    taskScopes({ rootUrl, taskId, dispatcher: upstreams.root, signal: context.stopping }).catch((error) => {
      throw error instanceof ServiceError ? new ServiceError(`--task-id: ${error.message}`) : error;
    }),
  );
  const credentials = new CredentialHolder(config.credentials, { authorizedScopes, version, revision });
  const metrics = new RequestMetrics(context.metrics);
  const retry = { deadlineMs: config.retryDeadline * 1000, anyMethod: config.retryMethods === 'all' };
  const app = createTcProxyApp({
    ...{ rootUrl, credentials, credentialsEndpoint, upstreams, guard, retry, metrics, logger },
  });
  const { allowedUser, allowedNetwork } = config;
  new PeerGuard({ allowedUser, allowedNetwork }).watch(app.server, logger);
  const port = await listen(app, config.port, config.address);

  announce(`Taskcluster proxy ${version} (git revision ${revision})`);
  announce(`Root URL: ${rootUrl}`);
  announce(`Client id: ${config.credentials.clientId}`);
  announce('Access token: <not shown>');
  announce(config.credentials.certificate ? 'Certificate: <not shown>' : 'Certificate: none');
  announce(
    authorizedScopes
      ? `Authorized scopes: ${JSON.stringify(authorizedScopes)}`
      : 'Authorized scopes: no restriction',
  );
  announce(`Serving on ${config.address ?? 'all interfaces'} port ${port}`);
  if ((credentials.current.ext?.length ?? 0) > longExt) {
    announce(
      'Warning: the scopes make signatures so long that some HTTP front ends will refuse the requests',
    );
  }

  return {
    port,
    applyCredentials: (next) => credentials.replace(next),
    drain: async () => {
      await app.close();
    },
    destroy: async () => {
      app.server.closeAllConnections();
      await upstreams[Symbol.asyncDispose]();
    },
  };
}

/** Absent means no restriction; a task without scopes means an empty list, which allows nothing. */
async function restriction(
  { authorizedScopes, taskId }: TcProxyConfig,
  fetchScopes: (taskId: string) => Promise<string[]>,
): Promise<string[] | undefined> {
  if (taskId === undefined) return authorizedScopes;
  return [...new Set([...(authorizedScopes ?? []), ...(await fetchScopes(taskId))])];
}
