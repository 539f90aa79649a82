import type { IncomingMessage } from 'node:http';

/** A GET without body that wants to become a WebSocket. Any other upgrade is answered as if it were not asked for. */
export function isWebSocketRequest({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    Number(headers['content-length'] ?? 0) === 0
  );
}
