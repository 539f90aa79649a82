import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const latest = Symbol('latest response');

type Connection = Socket & { [latest]?: ServerResponse };

/**
 * Closes clients' connections that have been without a request for long: at least the given time, at most twice
 * that. In place of Node's `keepAliveTimeout`, which starts and stops a timer for each request; looking at all
 * connections now and then takes nothing of a request.
 */
export class IdleConnections {
  /** What each connection had read when it was last looked at. */
  readonly #connections = new Map<Connection, number>();

  constructor(server: Server, timeoutMs: number) {
    server.on('connection', (socket) => {
      this.#connections.set(socket, -1);
      socket.once('close', () => this.#connections.delete(socket));
    });
    // From then on it is no connection for requests.
    server.on('upgrade', (_, socket) => this.#connections.delete(socket as Socket));
    server.once('listening', () => {
      const timer = setInterval(() => this.#look(), timeoutMs).unref();
      server.once('close', () => clearInterval(timer));
    });
  }

  /** To be called with each response. */
  saw(response: ServerResponse): void {
    const connection: Connection | null = response.socket;
    if (connection) connection[latest] = response;
  }

  #look(): void {
    for (const [connection, bytesBefore] of this.#connections) {
      const isBusy = connection[latest]?.writableFinished === false;
      if (!isBusy && connection.bytesRead === bytesBefore) connection.destroy();
      else this.#connections.set(connection, isBusy ? -1 : connection.bytesRead);
    }
  }
}
