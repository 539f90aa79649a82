import http, { type RequestListener } from 'node:http';
import { errorBody, type Logger, withoutSchemas } from '@docker-worker/service-kit';
import Fastify, { type FastifyError } from 'fastify';
import type { CredentialHolder } from '../signing/credential-holder.ts';
import { bewitRoute } from './bewit-route.ts';
import { credentialsRoute } from './credentials-route.ts';
import { routeName } from './route-name.ts';

export interface OwnRoutesOptions {
  credentials: CredentialHolder;
  credentialsEndpoint: boolean;
  logger: Logger;
}

/** What answers the requests that are not forwarded: a Fastify app behind the server that takes all requests. */
export async function createOwnRoutes(options: OwnRoutesOptions): Promise<RequestListener> {
  const { credentials, credentialsEndpoint, logger } = options;
  let listener: RequestListener | undefined;
  const app = Fastify({
    ...withoutSchemas,
    logger: false,
    exposeHeadRoutes: false,
    serverFactory: (handle) => {
      listener = handle;
      // Never listens.
      return http.createServer();
    },
    rewriteUrl: ({ method, url = '/' }) => routeName(method, url, credentialsEndpoint) ?? '/none',
  });

  for (const method of http.METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }
  app.options('/server', (_, reply) => reply.send());
  app.register(bewitRoute, { credentials });
  app.register(credentialsRoute, { credentials, logger });

  // Only our own routes come here, so what finds none is one of them, asked with another method.
  app.setNotFoundHandler((request, reply) => {
    const allowed = request.url === '/bewit' ? 'POST' : 'PUT';
    const message = `this path takes only ${allowed}`;
    return reply
      .code(405)
      .header('Allow', allowed)
      .send(errorBody('MethodNotAllowed', message, request.method));
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) logger.error({ err: error }, 'a request could not be handled');
    const [code, message] =
      status >= 500 ? ['InternalServerError', 'internal error'] : ['InputError', error.message];
    return reply.code(status).send(errorBody(code, message, request.method));
  });
  await app.ready();
  return listener as unknown as RequestListener;
}
