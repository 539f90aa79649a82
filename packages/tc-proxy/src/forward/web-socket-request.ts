import http, { type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** A GET without body that wants to become a WebSocket. Any other upgrade is answered as if it were not asked for. */
export function isWebSocketRequest({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    Number(headers['content-length'] ?? 0) === 0
  );
}

/** The response that Node does not make for upgrade requests, for those that end in an ordinary answer. */
export function responseFor(request: IncomingMessage, socket: Duplex): http.ServerResponse {
  const response = new http.ServerResponse(request);
  // What follows on this connection was meant for a WebSocket.
  response.shouldKeepAlive = false;
  response.assignSocket(socket as never);
  response.once('finish', () => socket.end());
  return response;
}
