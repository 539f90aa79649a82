import type { IncomingMessage } from 'node:http';
import {
  endToEndHeaders,
  errorBody,
  RefusedRequest,
  rawPath,
  smallBody,
  type UpstreamRequest,
} from '@docker-worker/service-kit';
import { IssuerError } from '../authorize/issuer-error.ts';
import type { RoutedRequest, RouteTable } from './route-table.ts';

/** Largest body that is kept to be sent once more with a fresh token. */
const keptBodyBytes = 64 * 1024;

/** Seconds after which a client may try again when the issuer is in trouble. */
const retryAfter = '5';

/** How upstreams answer a token that they do not take; RelengAPI says 400. */
const refusals = new Set([400, 401]);

/** What is sent for each request: along its route, with the route's authorization in place of the client's. */
export class Forwarder {
  readonly #routes: RouteTable;

  constructor(routes: RouteTable) {
    this.#routes = routes;
  }

  async upstreamRequest(request: IncomingMessage, url: string): Promise<UpstreamRequest> {
    const routed = this.#routes.find(rawPath(url));
    if (!routed) throw new RefusedRequest(404, noSuchRoute(this.#routes, request));
    const { refused } = routed.route.authorizer;
    const body = refused ? await smallBody(request, keptBodyBytes) : undefined;
    const mayRepeat = refused !== undefined && (body !== undefined || !hasUnknownBody(request));
    const header = await authorize(routed, request);
    const first = outgoing(routed, request, header, body);
    if (!mayRepeat || header === undefined) return first;
    return {
      ...first,
      repeat: (status) => {
        if (!refusals.has(status)) return undefined;
        refused?.(header);
        return authorize(routed, request).then((fresh) => outgoing(routed, request, fresh, body));
      },
    };
  }
}

async function authorize({ route, origin, path }: RoutedRequest, request: IncomingMessage) {
  const { hostname, port, protocol } = new URL(origin);
  const method = request.method ?? '';
  try {
    return await route.authorizer.header({
      method,
      host: hostname,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      path,
    });
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error;
    const { statusCode, code, message } = error;
    throw new RefusedRequest(statusCode, errorBody(code, message, method), {
      headers: statusCode === 503 ? { 'Retry-After': retryAfter } : {},
      route: nameOf(route),
      cause: error,
    });
  }
}

function outgoing(
  { route, origin, path }: RoutedRequest,
  request: IncomingMessage,
  header: string | undefined,
  body: Buffer | undefined,
): UpstreamRequest {
  const dropped = new Set(header === undefined ? ['host'] : ['host', 'authorization']);
  const headers = endToEndHeaders(request.rawHeaders, dropped);
  if (header !== undefined) headers.push('Authorization', header);
  return { route: nameOf(route), origin, path, headers, body };
}

function nameOf({ prefix }: { prefix: string }): string {
  return prefix || '/';
}

function hasUnknownBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined;
}

function noSuchRoute(routes: RouteTable, { method = '' }: IncomingMessage) {
  const message = `no route for this path; there are routes for ${routes.prefixes.join(', ')}`;
  return errorBody('NoSuchRoute', message, method);
}
