import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Closes clients' connections that have been without a request for long: at least the given time, at most twice
 * that. In place of Node's `keepAliveTimeout`, which starts and stops a timer for each request; looking at all
 * connections now and then takes nothing of a request.
 */
export class IdleConnections {
  /** What each connection had read when it was last looked at. */
  readonly #connections = new Map<Socket, number>();
  readonly #latest = new WeakMap<Socket, ServerResponse>();

  constructor(server: Server, timeoutMs: number) {
    server.on('connection', (socket) => {
      this.#connections.set(socket, -1);
      socket.once('close', () => this.#connections.delete(socket));
    });
    // From then on it is no connection for requests.
    server.on('upgrade', (_, socket) => this.#connections.delete(socket as Socket));
    const timer = setInterval(() => this.#look(), timeoutMs).unref();
    server.once('close', () => clearInterval(timer));
  }

  /** To be called with each response. */
  saw(response: ServerResponse): void {
    if (response.socket) this.#latest.set(response.socket, response);
  }

  #look(): void {
    for (const [socket, bytesBefore] of this.#connections) {
      const latest = this.#latest.get(socket);
      const isBusy = latest !== undefined && !latest.writableFinished;
      if (!isBusy && socket.bytesRead === bytesBefore) socket.destroy();
      else this.#connections.set(socket, isBusy ? -1 : socket.bytesRead);
    }
  }
}
