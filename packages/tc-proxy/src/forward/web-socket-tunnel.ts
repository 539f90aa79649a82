import http, { type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { endToEndHeaders } from '@docker-worker/service-kit';

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
export function responseFor(request: IncomingMessage, socket: Duplex) {
  const response = new http.ServerResponse(request);
  // What follows on this connection was meant for a WebSocket.
  response.shouldKeepAlive = false;
  response.assignSocket(socket as never);
  response.once('finish', () => socket.end());
  return response;
}

export interface TunnelOptions {
  client: Duplex;
  /** What the client sent behind its request already. */
  head: Buffer;
  upstream: Duplex;
  /** Headers of the upstream's 101. */
  rawHeaders: readonly Buffer[];
  /** Headers of ours: a flat list of names and values. */
  addedHeaders: readonly string[];
}

/** Tells the client of the switch and joins the two; resolves with the bytes sent to it when both are closed. */
export function openTunnel(options: TunnelOptions): Promise<{ down: number }> {
  const { client, head, upstream } = options;
  const { promise, resolve } = Promise.withResolvers<{ down: number }>();
  client.write(switchingProtocols(options), 'latin1');
  if (head.length > 0) upstream.write(head);
  let down = 0;
  upstream.on('data', (chunk: Buffer) => {
    down += chunk.length;
  });
  client.pipe(upstream);
  upstream.pipe(client);

  let open = 2;
  for (const [side, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    // Errors say no more than that a side is gone, which `close` says as well.
    side.on('error', () => {});
    side.once('close', () => {
      other.destroy();
      open -= 1;
      if (open === 0) resolve({ down });
    });
  }
  return promise;
}

function switchingProtocols({ rawHeaders, addedHeaders }: TunnelOptions): string {
  const headers = endToEndHeaders(rawHeaders.map((part) => part.toString('latin1')));
  headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket', ...addedHeaders);
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let index = 0; index < headers.length; index += 2)
    text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n`;
}
