import http, { type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { errorBody } from './error-body.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { closeSilentConnections, isBusy, noteResponse, type SilenceLimits } from './silent-connections.ts';
import { answerUnreadableRequest } from './unreadable-request.ts';

export interface ServiceServerOptions extends Partial<SilenceLimits> {
  /** PEM texts, for https. */
  tls?: { cert: string; key: string };
  /** Which requests for an upgrade get an `upgrade` event; the others are ordinary ones. Default: all, if anybody listens. */
  shouldUpgrade?(request: IncomingMessage): boolean;
  /** Requests sent ahead of the answers before them, of all connections; who brings more is cut off. Default: 10,000. */
  mostWaiting?: number;
  http?: ServerOptions;
}

/** Largest header block of a request: more than the 16 KiB that Node takes, for long scope lists and cookies. */
const maxHeaderSize = 132 * 1024;

/** As Fastify has it for idle connections: longer than clients and load balancers keep them. */
const defaultSilentMs = 72_000;
const defaultHalfClosedMs = 30_000;

/**
 * The server of every service: what clients can do to it by way of HTTP and TCP is bounded here. Requests of a
 * connection are handled one at a time; a client that has ended its side still gets its answer; one that does not
 * read is left after a while; and what cannot be understood in one way only is refused.
 */
export function createServiceServer(handle: RequestListener, options: ServiceServerOptions = {}): Server {
  const { tls, shouldUpgrade, silentMs = defaultSilentMs, halfClosedMs = defaultHalfClosedMs } = options;
  const inTurn = oneAtATime((request, response) => {
    noteResponse(response, request.socket);
    if (hasTwoHosts(request)) {
      const body = JSON.stringify(
        errorBody('InputError', 'there are two Host headers', request.method ?? ''),
      );
      const headers = {
        'Content-Type': 'application/json',
        'Content-Length': body.length,
        Connection: 'close',
      };
      response.writeHead(400, headers).end(body);
    } else handle(request, response);
  }, options.mostWaiting ?? 10_000);
  const settings: ServerOptions = {
    maxHeaderSize,
    requestTimeout: 0,
    // Idle connections are closed below.
    keepAliveTimeout: 0,
    ...options.http,
    shouldUpgradeCallback: (request) =>
      !isBusy(request.socket) &&
      !hasTwoHosts(request) &&
      (shouldUpgrade ? shouldUpgrade(request) : server.listenerCount('upgrade') > 0),
  };
  // TLS is loaded where it is used: a proxy beside a task need not wait for it at its start.
  const server: Server = tls
    ? process.getBuiltinModule('node:https').createServer({ ...settings, ...tls }, inTurn)
    : http.createServer(settings, inTurn);
  // Node would silently drop the headers beyond a limit; the size of the block is the limit here.
  server.maxHeadersCount = 0;
  // Not in Node's types: without it the end of a client's side ends the connection, its answer included.
  Object.assign(server, { httpAllowHalfOpen: true });
  closeSilentConnections(server, { silentMs, halfClosedMs });
  server.on('clientError', answerUnreadableRequest);
  server.on('connect', (_, socket) => socket.end(connectRefusal));
  return server;
}

function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}

const connectRefusal = 'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
