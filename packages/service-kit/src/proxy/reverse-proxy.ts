import http, { type IncomingMessage } from 'node:http';
import httpProxy from '@fastify/http-proxy';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';
import { errorBody } from '../server/error-body.ts';
import { createServiceApp } from '../server/service-app.ts';
import type { RequestMetrics } from '../telemetry/request-metrics.ts';
import type { Logger } from '../telemetry/service-logger.ts';
import { gatewayError } from './gateway-error.ts';
import { endToEndHeaders } from './header-hygiene.ts';
import { hasBody, RequestBody } from './request-body.ts';
import { UpstreamAnswer } from './upstream-answer.ts';
import { RefusedRequest, type UpstreamRequest } from './upstream-request.ts';

export interface ReverseProxyOptions {
  /** From `createUpstreamDispatcher`; the connections to use at the moment. */
  dispatcher(): Dispatcher;
  /** What to send for a request, whose body has not been read. Throws a `RefusedRequest` to answer in place of it. */
  upstreamRequest(request: IncomingMessage, url: string): UpstreamRequest | Promise<UpstreamRequest>;
  /** The last word on the headers of an answer: a flat list that it may change. */
  rewriteAnswer?(headers: string[]): string[];
  metrics: RequestMetrics;
  logger: Logger;
}

/** A client's request and what has become of it. */
interface Exchange {
  readonly startedAt: number;
  readonly raw: FastifyReply['raw'];
  upstream?: UpstreamRequest;
  route: string;
  body: Buffer | RequestBody | null;
  answer?: UpstreamAnswer;
  error?: Error;
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
}

const exchangeKey = Symbol('exchange');

/**
 * A Fastify app that forwards every request of any method: streams both ways with back-pressure, hands redirects and
 * errors of the upstream back as they are, and repeats nothing by itself.
 *
 * On `@fastify/http-proxy`, which has no way to send a path as the client wrote it (`//a/../b`), headers in their order with
 * repetitions, the body of a GET, or to end a request whose client has left before the answer. So what is sent goes round
 * its parsed URL and headers: it travels to the dispatcher under a symbol among the headers, and the plugin sees the path `/`.
 */
export function createReverseProxy(options: ReverseProxyOptions): FastifyInstance {
  const { logger, metrics } = options;
  const app = createServiceApp({ fastify: { exposeHeadRoutes: false, rewriteUrl: () => '/' } });
  for (const method of http.METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }
  let isDraining = false;
  app.addHook('preClose', async () => {
    isDraining = true;
  });
  app.decorateRequest('exchange');

  app.addHook('onRequest', async (request, { raw }) => {
    request.exchange = { startedAt: performance.now(), raw, route: 'none', body: null };
    raw.once('close', () => finish(request));
    // Fastify refuses types that it cannot parse; what the client wrote is in the raw headers.
    request.raw.headers['content-type'] = 'application/octet-stream';
    // Beside the answer, so that a body that nobody wants is read to its end.
    raw.once('finish', () => request.raw.resume());
  });
  app.setErrorHandler((error, request, reply) => answerError(error as Error, request, reply));

  app.register(httpProxy, {
    upstream: 'http://upstream.invalid',
    httpMethods: app.supportedMethods,
    disableRequestLogging: true,
    disableCache: true,
    internalRewriteLocationHeader: false,
    // Not the plugin's own connections, which verify no certificate.
    undici: {
      request: (sent: Sent, done: Done) => ask(sent.headers[exchangeKey], done),
      destroy() {},
    } as never,
    preHandler: async (request) => {
      const { raw, exchange, originalUrl } = request as FastifyRequest;
      exchange.upstream = await options.upstreamRequest(raw, originalUrl);
      exchange.route = exchange.upstream.route;
      exchange.body = exchange.upstream.body ?? (hasBody(raw) ? new RequestBody(raw) : null);
    },
    replyOptions: {
      // Of the plugin's ways to turn repetition off, only this one covers 503 answers as well.
      retryDelay: () => null,
      rewriteRequestHeaders: (request) =>
        ({ [exchangeKey]: (request as FastifyRequest).exchange }) as Record<string, never>,
      onResponse: (request, reply, answer) => {
        // The plugin closes the connection of a client that is still sending; its body is read to its end instead.
        if (!request.raw.complete) reply.removeHeader('connection');
        reply.send((answer as unknown as { stream: UpstreamAnswer }).stream);
      },
      onError: (reply, { error }) => {
        void answerError(
          (error.cause as Error | undefined) ?? error,
          reply.request as FastifyRequest,
          reply as FastifyReply,
        );
      },
    },
  });
  return app;

  /** Sends the request, and others in its place as long as its answers say so. */
  function ask(exchange: Exchange, done: Done): void {
    const { upstream, raw, body } = exchange;
    if (upstream === undefined || raw.destroyed) {
      done(new Error(clientLeft));
      return;
    }
    const { origin, path, headers } = upstream;
    const answer = new UpstreamAnswer((error) => {
      const next = error ? undefined : upstream.repeat?.(answer.statusCode);
      if (next === undefined) return error ? done(error) : done(null, answerOf(exchange, answer));
      answer.on('error', () => {}).resume();
      next.then(
        (repeated) => {
          exchange.upstream = repeated;
          ask(exchange, done);
        },
        (reason) => done(reason),
      );
    });
    exchange.answer = answer;
    const method = raw.req.method as Dispatcher.HttpMethod;
    options.dispatcher().dispatch({ origin, path, method, headers, body: upstream.body ?? body }, answer);
  }

  function answerOf(exchange: Exchange, answer: UpstreamAnswer) {
    answer.once('error', (error) => {
      exchange.error ??= error;
    });
    exchange.raw.statusMessage = answer.reason;
    const kept = endToEndHeaders(answer.rawHeaders);
    const headers = headerObject(options.rewriteAnswer?.(kept) ?? kept);
    return { statusCode: answer.statusCode, headers, body: answer };
  }

  async function answerError(error: Error, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { exchange, method } = request;
    const { route, upstream } = exchange;
    if (error instanceof RefusedRequest) {
      exchange.route = route === 'none' ? error.route : route;
      exchange.error = error.cause as Error | undefined;
      reply.code(error.statusCode).headers(error.headers).send(error.body);
    } else if (upstream === undefined) {
      logger.error({ err: error }, 'a request could not be handled');
      reply.code(500).send(errorBody('InternalServerError', 'internal error', method));
    } else {
      exchange.error = error;
      const host = upstream.origin.slice(upstream.origin.indexOf('//') + 2);
      const { statusCode, body, headers } = gatewayError(error, { method, host });
      reply.code(statusCode).headers(headers).send(body);
    }
  }

  function finish({ exchange, method, headers }: FastifyRequest): void {
    const { raw, answer, body, route, startedAt, error } = exchange;
    const isWhole = raw.writableFinished;
    const status = isWhole || raw.headersSent ? raw.statusCode : 499;
    if (!isWhole) answer?.abort(new Error(clientLeft));
    if (body instanceof RequestBody) body.destroy();
    const seconds = (performance.now() - startedAt) / 1000;
    const requestBytes = Number(headers['content-length'] ?? 0);
    metrics.observe({ method, status, route, seconds, requestBytes, responseBytes: answer?.bytes ?? 0 });
    if (error) logger.warn({ method, route, status, err: error }, 'the request failed');
    else logger.debug({ method, route, status, seconds }, 'forwarded');
    // What has become idle now must not hold up the close until its keep-alive time is over.
    if (isDraining) setImmediate(() => app.server.closeIdleConnections());
  }
}

const clientLeft = 'the client has left';

interface Sent {
  headers: { [exchangeKey]: Exchange };
}

type Done = (
  error: Error | null,
  answer?: { statusCode: number; headers: Record<string, string | string[]>; body: UpstreamAnswer },
) => void;

/** Values of a repeated name become a list. */
function headerObject(flat: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let index = 0; index < flat.length; index += 2) {
    const name = (flat[index] as string).toLowerCase();
    const value = flat[index + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
