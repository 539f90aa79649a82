import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { countStreamed } from '../io/streamed-bytes.ts';

/** The request has bytes behind its headers. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * The body of a client's request as it is handed to undici. When the upstream has answered or failed
 * before it was sent as a whole, destroying this takes the rest from the client and throws it away:
 * destroying the request itself would close the connection on which the client is to read the answer.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    super();
    this.#request = request;
    request.on('data', (chunk: Buffer) => {
      countStreamed(chunk.length);
      if (!this.destroyed && !this.push(chunk)) request.pause();
    });
    request.once('end', () => {
      if (!this.destroyed) this.push(null);
    });
    // Its error says no more than that the client has left, and without a listener it would end the process.
    request.once('error', () => {});
    request.once('close', () => {
      if (!request.complete && !this.destroyed) this.destroy(new Error('the client has left'));
    });
    request.pause();
  }

  override _read(): void {
    this.#request.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#request.resume();
    done(error);
  }
}

/** The whole of a body that is announced with at most `limit` bytes; undefined for any other. */
export async function smallBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const announced = request.headers['content-length'];
  if (announced === undefined || Number(announced) > limit) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
