import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { gatewayError } from './gateway-error.ts';
import { endToEndHeaders } from './header-hygiene.ts';
import type { Tunnels } from './tunnels.ts';
import type { UpstreamRequest } from './upstream-request.ts';

/** The response that Node does not make for upgrade requests, for those that end in an ordinary answer. */
export function responseFor(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  // What follows on this connection was meant for another protocol.
  response.shouldKeepAlive = false;
  response.assignSocket(socket as never);
  response.once('finish', () => socket.end());
  return response;
}

export interface UpgradeRelayOptions {
  dispatcher: Dispatcher;
  tunnels: Tunnels;
  request: IncomingMessage;
  socket: Duplex;
  /** What the client sent behind its request already. */
  head: Buffer;
  upstream: UpstreamRequest;
}

/** Forwards a request for an upgrade: bytes go both ways if the upstream agrees, else it answers in its own words. */
export function relayUpgrade({ request, socket, head, upstream, ...options }: UpgradeRelayOptions): void {
  const { origin, path, headers } = upstream;
  const response = responseFor(request, socket);
  let controller: Dispatcher.DispatchController | undefined;
  response.once('close', () => controller?.abort(new Error('the client has left')));
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (response.destroyed) started.abort(new Error('the client has left'));
    },
    onRequestUpgrade({ rawHeaders }, _status, _headers, upstreamSocket) {
      response.detachSocket(socket as never);
      const switched = ['Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''];
      void options.tunnels.open({
        ...{ client: socket, head, upstream: upstreamSocket },
        headers: [...endToEndHeaders(decoded(rawHeaders)), ...switched],
      });
    },
    onResponseStart({ rawHeaders }, status, _headers, reason) {
      if (status >= 200) response.writeHead(status, reason ?? '', endToEndHeaders(decoded(rawHeaders)));
    },
    onResponseData(running, chunk) {
      if (response.write(chunk)) return;
      running.pause();
      response.once('drain', () => running.resume());
    },
    onResponseEnd: () => void response.end(),
    onResponseError(_, error) {
      if (response.headersSent || response.destroyed) return void response.destroy();
      const host = origin.slice(origin.indexOf('//') + 2);
      const { statusCode, body, headers: more } = gatewayError(error, { method: request.method ?? '', host });
      response
        .writeHead(statusCode, { 'Content-Type': 'application/json', ...more })
        .end(JSON.stringify(body));
    },
  };
  const method = request.method as Dispatcher.HttpMethod;
  const upgrade = request.headers.upgrade ?? '';
  options.dispatcher.dispatch({ origin, path, method, headers, upgrade }, handler);
}

function decoded(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  return ((raw ?? []) as Buffer[]).map((part) => part.toString('latin1'));
}
