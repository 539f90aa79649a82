import {
  createLogger,
  createReverseProxy,
  createUpstreamDispatcher,
  type Logger,
  listen,
  Redactor,
  Registry,
  RequestMetrics,
  type RunningService,
  type ServiceContext,
  ServiceError,
  taskScopes,
} from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import { type AuthorizerContext, createAuthorizer } from './authorize/create-authorizer.ts';
import { IssuerHealth } from './authorize/issuer-health.ts';
import { Forwarder } from './forward/forwarder.ts';
import { RouteTable } from './forward/route-table.ts';
import { permissionScopePrefix, permissionsFromScopes } from './permissions.ts';
import { RelengapiConfig, routesOf } from './relengapi-config.ts';
import type { Route } from './route-settings.ts';

export { RelengapiConfig as config };

/** Whether each route has what it needs; the scopes of a task are not fetched. */
export async function check(config: RelengapiConfig): Promise<void> {
  const dispatcher = createUpstreamDispatcher({ ca: config.ca, connectTimeoutMs: 0, headersTimeoutMs: 0 });
  const logger = createLogger({ name: 'check', level: 'silent', redactor: new Redactor() });
  const routes = routesOf(config);
  const { scopes = [], taskId, issuingToken } = config;
  const permissions = taskId === undefined ? usablePermissions(scopes, { config, routes, logger }) : [];
  const health = new IssuerHealth([], { dispatcher, metrics: new Registry() });
  for (const { auth } of routes) {
    createAuthorizer(auth, {
      ...{ dispatcher, permissions, scopes, issuingToken, health, logger },
      credentials: () => undefined,
      learnSecret: () => {},
    });
  }
  await dispatcher.destroy();
}

/** Serves as soon as the configuration makes sense; no token is asked for before a request needs one. */
export async function start(config: RelengapiConfig, context: ServiceContext): Promise<RunningService> {
  const { logger, announce, learnSecret } = context;
  const routes = routesOf(config);
  const dispatcher = createUpstreamDispatcher({
    ca: config.ca,
    connectTimeoutMs: config.connectTimeout * 1000,
    headersTimeoutMs: config.headersTimeout * 1000,
  });
  const scopes = await allScopes(config, dispatcher, context.stopping);
  const permissions = usablePermissions(scopes, { config, routes, logger });
  let { credentials } = config;
  const health = new IssuerHealth(issuersOf(routes), { dispatcher, metrics: context.metrics });
  const app = createApp({
    routes,
    dispatcher,
    logger,
    metrics: new RequestMetrics(context.metrics),
    authorizers: {
      dispatcher,
      permissions,
      scopes,
      issuingToken: config.issuingToken,
      credentials: () => credentials,
      learnSecret,
      health,
      logger,
    },
  });
  const port = await listen(app, config.port, config.address);

  announce(`RelengAPI proxy ${context.version}`);
  announce(`Permissions: ${permissions.join(', ') || 'none'}`);
  for (const { prefix, upstream, auth } of routes) {
    announce(`${prefix} goes to ${upstream} with ${auth.provider}`);
  }
  announce(`Serving on ${config.address ?? 'all interfaces'} port ${port}`);

  return {
    port,
    applyCredentials(next) {
      credentials = next;
    },
    health: async () => ({ issuers: await health.status() }),
    drain: async () => {
      await app.close();
    },
    destroy: async () => {
      app.server.closeAllConnections();
      await dispatcher.destroy();
    },
  };
}

function createApp(options: {
  routes: Route[];
  authorizers: AuthorizerContext;
  dispatcher: Dispatcher;
  metrics: RequestMetrics;
  logger: Logger;
}) {
  const { dispatcher, metrics, logger } = options;
  const routes = new RouteTable(
    options.routes.map(({ auth, ...route }) => ({
      ...route,
      authorizer: createAuthorizer(auth, options.authorizers),
    })),
  );
  const forwarder = new Forwarder(routes);
  return createReverseProxy({
    dispatcher: () => dispatcher,
    upstreamRequest: (request, url) => forwarder.upstreamRequest(request, url),
    metrics,
    logger,
  });
}

/** URLs that tokens are asked for at. */
function issuersOf(routes: readonly Route[]): string[] {
  return routes.flatMap(({ auth }) => {
    if (auth.provider === 'relengapi-tmp-token') return [auth.issuer];
    return auth.provider === 'oauth2-client-credentials' ? [auth.tokenUrl] : [];
  });
}

async function allScopes(
  { scopes = [], taskId, rootUrl }: RelengapiConfig,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<string[]> {
  if (taskId === undefined) return scopes;
  if (rootUrl === undefined)
    throw new ServiceError('--root-url (TASKCLUSTER_ROOT_URL): is required to fetch the scopes of a task');
  return [...scopes, ...(await taskScopes({ rootUrl, taskId: taskId[0], dispatcher, signal }))];
}

/** Without any permission a temporary token could do nothing, so it is not worth starting. */
function usablePermissions(
  scopes: readonly string[],
  { config, routes, logger }: { config: RelengapiConfig; routes: Route[]; logger: Logger },
): string[] {
  const { granted, refused } = permissionsFromScopes(scopes, config.settings.allow);
  for (const { scope, reason } of refused) logger.warn({ scope, reason }, 'a permission is refused');
  const isNeeded = routes.some(({ auth }) => auth.provider === 'relengapi-tmp-token');
  if (isNeeded && granted.length === 0) {
    const where = config.taskId ? `task ${config.taskId[0]}` : 'the given scopes';
    const why = refused.map(({ scope, reason }) => `; ${scope}: ${reason}`).join('');
    throw new ServiceError(
      `No RelengAPI permission scopes (matching '${permissionScopePrefix}*') found on ${where}${why}`,
    );
  }
  return granted;
}
