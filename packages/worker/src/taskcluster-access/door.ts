import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';

/** An address of this host at which something on loopback is reached, too. */
export class Door implements AsyncDisposable {
  readonly #server: Server;
  readonly #open: Set<Socket>;

  /** @param inside port of what is reached; those who come before it is known wait */
  static async open(host: string, port: number, inside: Promise<number>): Promise<Door> {
    const open = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket);
      socket.on('error', () => {}).once('close', () => open.delete(socket));
      void inside.then((inner) => connectTo(socket, inner));
    });
    await once(server.listen({ host, port }), 'listening');
    return new Door(server, open);
  }

  private constructor(server: Server, open: Set<Socket>) {
    this.#server = server;
    this.#open = open;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) {
      socket.destroy();
    }
    await closed;
  }
}

/** Joins a stream with a port of loopback, until either side ends. */
export function connectTo(stream: Duplex, port: number): void {
  const inner = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  pipeline(stream, inner, () => {});
  pipeline(inner, stream, () => stream.destroy());
}
