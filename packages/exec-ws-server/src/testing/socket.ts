import { EventEmitter, once } from 'node:events';
import WebSocket, { type ClientOptions } from 'ws';

/** A bare WebSocket client that keeps what comes. */
export class TestSocket extends EventEmitter {
  readonly socket: WebSocket;
  readonly messages: { data: Buffer; isBinary: boolean }[] = [];
  /** Code and reason, once it is closed. */
  readonly closed: Promise<{ code: number; reason: string }>;

  static async open(url: string, options: ClientOptions = {}): Promise<TestSocket> {
    const opened = new TestSocket(new WebSocket(url, options));
    await once(opened.socket, 'open');
    return opened;
  }

  private constructor(socket: WebSocket) {
    super();
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      this.messages.push({ data, isBinary });
      this.emit('change');
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    void this.closed.then(() => this.emit('change'));
  }

  /** All binary messages so far as one text. */
  get text(): string {
    return Buffer.concat(this.messages.filter(({ isBinary }) => isBinary).map(({ data }) => data)).toString();
  }

  /** The text messages so far, parsed. */
  get json(): Record<string, unknown>[] {
    return this.messages.filter(({ isBinary }) => !isBinary).map(({ data }) => JSON.parse(data.toString()));
  }

  send(data: Buffer | string): void {
    this.socket.send(data);
  }

  /** Waits until something is true of what came. */
  async until<T>(found: () => T | undefined | false): Promise<T> {
    for (;;) {
      const result = found();
      if (result !== undefined && result !== false) {
        return result;
      }
      if (this.socket.readyState === WebSocket.CLOSED) {
        throw new Error(`the socket was closed: ${this.text}`);
      }
      await once(this, 'change');
    }
  }
}

/** Status and body of the answer to an upgrade that is refused. */
export async function refusedUpgrade(
  url: string,
  options: ClientOptions = {},
): Promise<{ status: number; body: string }> {
  const socket = new WebSocket(url, options);
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    NodeJS.ReadableStream & { statusCode: number },
  ];
  let body = '';
  response.on('data', (chunk) => {
    body += chunk;
  });
  await once(response, 'end');
  return { status: response.statusCode, body };
}
