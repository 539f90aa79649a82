import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { createServiceApp, type Logger } from '@docker-worker/service-kit';
import type { FastifyInstance } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { Connection, type ConnectionLimits } from '../session/connection.ts';
import type { ShellServer } from '../session/shell-server.ts';
import { isAllowedOrigin } from './origin.ts';
import { PageAssets } from './page-assets.ts';
import { RateLimit } from './rate-limit.ts';
import { secretPaths } from './secret-paths.ts';

export interface ExecWsAppOptions {
  secret: string;
  shells: ShellServer;
  origins: readonly string[];
  limits: ConnectionLimits & {
    maxMessageBytes: number;
    connectionsPerSecond: number;
    connectionBurst: number;
  };
  tls?: { cert: string; key: string };
  /** Folder of the page's files. */
  assets: string;
  logger: Logger;
}

/** The whole server as a Fastify app that is not listening yet. */
export function createExecWsApp(options: ExecWsAppOptions): FastifyInstance {
  const { secret, shells, limits, tls, assets, logger } = options;
  const app = createServiceApp({ tls });
  const meaningOf = secretPaths(secret);
  const files = new PageAssets(assets);

  // One route for all: the router must neither decode nor correct a path that holds the secret.
  app.setNotFoundHandler(async (request, reply) => {
    const meaning = request.method === 'GET' ? meaningOf(pathOf(request.raw)) : undefined;
    if (meaning?.kind === 'page-without-slash') {
      return reply.redirect(`${pathOf(request.raw)}/`, 308);
    }
    const asset = meaning?.kind === 'page' ? await files.get(meaning.file) : undefined;
    if (asset === undefined) {
      return reply.code(404).type('text/plain').send('There is nothing here.\n');
    }
    return reply.headers(asset.headers).send(asset.body);
  });

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxMessageBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const connections = new RateLimit(limits.connectionBurst, limits.connectionsPerSecond);
  const server: Server = app.server;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      logger.warn({ status: refusal[0] }, 'a connection was refused');
      refuse(socket, ...refusal);
      return;
    }
    const meaning = meaningOf(pathOf(request));
    sockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      const connection = new Connection(webSocket, limits);
      const query = new URLSearchParams(request.url?.split('?')[1]);
      if (meaning.kind === 'v1') {
        shells.openV1(connection, query);
      } else if (meaning.kind === 'v2') {
        shells.openV2(connection);
      } else {
        shells.openPage(connection, query);
      }
    });
  });
  return app;

  function refusalOf(request: IncomingMessage): [number, string] | undefined {
    const { kind } = meaningOf(pathOf(request));
    if (kind === 'denied') {
      return [401, 'Access denied'];
    }
    if (kind !== 'v1' && kind !== 'v2' && kind !== 'page-socket') {
      return [400, 'Bad Request'];
    }
    if (!isAllowedOrigin(request.headers.origin, request.headers.host, options.origins)) {
      return [403, 'This origin may not connect'];
    }
    return connections.take() ? undefined : [429, 'Too many connections'];
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string;
}

const reasons: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too Many Requests',
};

function refuse(socket: Duplex, status: number, text: string): void {
  socket.end(
    [
      `HTTP/1.1 ${status} ${reasons[status]}`,
      'Connection: close',
      'Content-Type: text/plain',
      `Content-Length: ${Buffer.byteLength(text)}`,
      '',
      text,
    ].join('\r\n'),
  );
}
