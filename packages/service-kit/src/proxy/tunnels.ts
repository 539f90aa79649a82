import type { Duplex } from 'node:stream';

export interface TunnelEnds {
  client: Duplex;
  /** What the client sent behind its request already. */
  head: Buffer;
  upstream: Duplex;
  /** Of the answer to the client: a flat list of names and values, without those that make the switch. */
  headers: readonly string[];
}

/** Connections that have stopped to be HTTP: bytes go both ways until one side ends. */
export class Tunnels {
  readonly #open = new Map<Duplex, Promise<void>>();
  #isClosed = false;

  /** Tells the client of the switch and joins the two; resolves with the bytes sent to it when both are closed. */
  open({ client, head, upstream, headers }: TunnelEnds): Promise<{ down: number }> {
    const { promise, resolve } = Promise.withResolvers<{ down: number }>();
    client.write(switchingProtocols(headers), 'latin1');
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
        if (open > 0) return;
        this.#open.delete(client);
        resolve({ down });
      });
    }
    this.#open.set(
      client,
      promise.then(() => {}),
    );
    if (this.#isClosed) client.destroy();
    return promise;
  }

  /** Cuts all that are open. */
  async cut(): Promise<void> {
    const closed = [...this.#open.values()];
    for (const client of this.#open.keys()) client.destroy();
    await Promise.all(closed);
  }

  /** The same, and what is opened from now on is cut at once: they have no end to wait for. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.cut();
  }
}

function switchingProtocols(headers: readonly string[]): string {
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let index = 0; index < headers.length; index += 2)
    text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n`;
}
