import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Endpoint, Service } from './api/endpoint.ts';
import { type MountOptions, mountService, routeParameters } from './api/mount.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import { addBlobRoutes } from './blobs/routes.ts';
import { ApiError, errorBody, InsufficientScopes, type RequestInfo } from './errors.ts';
import type { Logger } from './logger.ts';

const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

export interface ServerOptions extends MountOptions {
  services: Service[];
  blobs: BlobStore;
  logger: Logger | undefined;
  /** Told before the response when a caller lacks scopes. */
  onInsufficientScopes(request: FastifyRequest, refusal: InsufficientScopes): void;
}

/** The HTTP side: routes, errors, CORS. Nothing listens yet. */
export function createServer({
  services,
  blobs,
  logger,
  onInsufficientScopes,
  ...mount
}: ServerOptions): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    // Long polls and idle keep-alive connections must not hold up the end.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096 },
    frameworkErrors: (error, request, reply) => {
      const refusal = new ApiError('InvalidRequestArguments', error.message);
      (reply as FastifyReply).code(refusal.status).send(errorBody(refusal, requestInfo(request)));
    },
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('access-control-allow-origin', '*');
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    try {
      done(null, parseJson(request, String(body)));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = asApiError(error);
    // A caller that goes away in the middle of an upload is no fault of the server.
    const isOurs = refusal.code === 'InternalServerError' && !request.raw.readableAborted;
    if (isOurs) logger?.error({ err: error }, 'request failed');
    if (refusal instanceof InsufficientScopes) onInsufficientScopes(request, refusal);
    if (refusal.code === 'AuthenticationFailed') reply.header('www-authenticate', 'hawk');
    return reply.code(refusal.status).send(errorBody(refusal, requestInfo(request)));
  });
  app.setNotFoundHandler((request, reply) => {
    const refusal = new ApiError('ResourceNotFound', 'Not found: there is no such endpoint here');
    return reply.code(refusal.status).send(errorBody(refusal, requestInfo(request)));
  });
  app.options('/*', (_request, reply) =>
    reply
      .headers({
        'access-control-allow-methods': 'OPTIONS,GET,HEAD,POST,PUT,DELETE',
        'access-control-allow-headers': 'authorization,content-type,content-encoding,x-taskcluster-trace-id',
      })
      .send(''),
  );
  for (const service of services) mountService(app, service, mount);
  addBlobRoutes(app, blobs);
  return app;
}

function parseJson(request: FastifyRequest, body: string): unknown {
  if (body === '') return undefined;
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new ApiError('MalformedPayload', 'Payload must be JSON with content-type: application/json');
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError('MalformedPayload', 'Failed to parse JSON');
  }
}

function asApiError(error: FastifyError): ApiError {
  if (error instanceof ApiError) return error;
  if (error.statusCode === 413) return new ApiError('InputTooLarge', 'Request body is too large');
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return new ApiError('MalformedPayload', error.message);
  }
  return new ApiError('InternalServerError', 'Internal error, see the log');
}

function requestInfo(request: FastifyRequest): RequestInfo {
  const { endpoint } = request.routeOptions?.config ?? {};
  return {
    method: endpoint?.name ?? '',
    params: endpoint ? routeParameters(endpoint, request) : {},
    payload: endpoint ? withoutSecrets(endpoint, request.body) : {},
    time: new Date().toJSON(),
  };
}

function withoutSecrets(endpoint: Endpoint, body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body ?? {};
  const hidden = Object.keys(body).filter((key) => endpoint.secretKeys?.includes(key));
  return { ...body, ...Object.fromEntries(hidden.map((key) => [key, '(OMITTED)'])) };
}
