import type { IncomingHttpHeaders } from 'node:http';
import httpProxy from '@fastify/http-proxy';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';
import { gatewayError } from './gateway-error.ts';
import { endToEndHeaderObject } from './header-hygiene.ts';

export interface ReverseProxyOptions {
  /** Origin, with a base path if there is one. */
  upstream: string;
  /** Path under which it is served, without a slash at its end; default all paths. */
  prefix?: string;
  /** From `createUpstreamDispatcher`. Not optional: the plugin's own connections verify no certificate. */
  dispatcher: Dispatcher;
  /** Headers that carry the credentials, for instance `authorization`; what the client sent under these names is dropped. */
  authorize?(request: FastifyRequest): Record<string, string> | Promise<Record<string, string>>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What `authorize` gave for this request. */
    injectedHeaders: Record<string, string> | null;
  }
}

const clientCredentials = new Set(['authorization']);

/**
 * The default route of a proxy service: streams both ways, hands redirects and errors of the upstream
 * back as they are, never repeats a request, and lets no header of the client pass for a credential.
 * Register it with `app.register(reverseProxy, options)`.
 */
export async function reverseProxy(app: FastifyInstance, options: ReverseProxyOptions): Promise<void> {
  const { host } = new URL(options.upstream);
  if (!app.hasRequestDecorator('injectedHeaders')) app.decorateRequest('injectedHeaders', null);

  await app.register(httpProxy, {
    upstream: options.upstream,
    prefix: options.prefix ?? '',
    undici: options.dispatcher as never,
    disableRequestLogging: true,
    // URLs are often unique here; remembering them costs memory and keeps bewits.
    disableCache: true,
    preHandler: async (request) => {
      request.injectedHeaders = (await options.authorize?.(request)) ?? {};
    },
    replyOptions: {
      // Of the plugin's ways to turn repetition off, only this one covers 503 answers as well.
      retryDelay: () => null,
      rewriteRequestHeaders: (request, headers) => outgoing(request as FastifyRequest, headers),
      rewriteHeaders: (headers) => endToEndHeaderObject(headers as IncomingHttpHeaders),
      onError: (reply, { error }) => {
        const cause = (error as { cause?: unknown }).cause ?? error;
        const { statusCode, body, headers } = gatewayError(cause, { method: reply.request.method, host });
        reply.code(statusCode).headers(headers).send(body);
      },
    },
  });
}

function outgoing(request: FastifyRequest, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const injected = request.injectedHeaders ?? {};
  const replaced = new Set([
    ...clientCredentials,
    ...Object.keys(injected).map((name) => name.toLowerCase()),
  ]);
  // The plugin has removed `Connection` and what it names already; the original list is needed here as well,
  // because it knows nothing of look-alike names.
  const kept = endToEndHeaderObject({ ...headers, connection: request.headers.connection }, replaced);
  return { ...kept, ...injected };
}
