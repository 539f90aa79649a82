import http, { type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface SilenceLimits {
  /**
   * Milliseconds without a byte in either direction after which a connection is closed that has no request in
   * flight, or whose client does not read its answer.
   */
  silentMs: number;
  /**
   * The same for a client that has ended its side. It may wait for its answer or be gone for good: both look the same
   * until something is written.
   */
  halfClosedMs: number;
}

const latest = Symbol('latest response');

type Connection = Socket & { [latest]?: ServerResponse };

/** To be called with each response, so that a connection can be known to be busy. */
export function noteResponse(response: ServerResponse, socket: Socket): void {
  (socket as Connection)[latest] = response;
}

/** There is a request on the connection whose answer is not complete. */
export function isBusy(socket: Socket): boolean {
  const response = (socket as Connection)[latest];
  return response !== undefined && !response.writableFinished && !response.destroyed;
}

/** Closes connections of clients that have gone, stopped reading, or have nothing to say any more. */
export function closeSilentConnections(server: Server, { silentMs, halfClosedMs }: SilenceLimits): void {
  server.setTimeout(silentMs, (socket) => {
    const isWaitingForUs = isBusy(socket) && socket.writableLength === 0;
    if (!isWaitingForUs || socket.readableEnded) socket.destroy();
  });
  function onEnd(this: Socket): void {
    this.setTimeout(halfClosedMs);
  }
  const connected = server instanceof http.Server ? 'connection' : 'secureConnection';
  server.on(connected, (socket: Socket) => socket.once('end', onEnd));
  // From then on it is no connection for requests.
  server.prependListener('upgrade', (_, socket) => {
    socket.off('end', onEnd);
    (socket as Socket).setTimeout(0);
  });
}
