import { largestPiece } from '@docker-worker/service-kit/bulk-reader';

/** Shorter messages are not worth it. */
const smallestBytes = 8 * 1024;
/** A code, and output. */
const bufferBytes = 1 + largestPiece;
/** As many as a connection lets wait, see `Connection.send`. */
const mostBuffers = 5;

/**
 * Memory for messages that are long, used again when they have been sent. New memory for each makes V8 mark its whole
 * heap every few dozen megabytes of output, which takes longer than sending them does.
 */
export class MessagePool {
  readonly #free: Buffer[] = [];
  #made = 0;

  /** Room for a message, to be given back; its content is whatever was there. */
  take(length: number): Buffer {
    if (length < smallestBytes || length > bufferBytes) {
      return Buffer.allocUnsafe(length);
    }
    let whole = this.#free.pop();
    if (whole === undefined) {
      if (this.#made === mostBuffers) {
        return Buffer.allocUnsafe(length);
      }
      this.#made += 1;
      whole = Buffer.allocUnsafeSlow(bufferBytes);
    }
    return whole.subarray(0, length);
  }

  /** To be called when nobody reads the message any more. */
  giveBack(message: Buffer): void {
    if (message.buffer.byteLength === bufferBytes && this.#free.length < mostBuffers) {
      this.#free.push(Buffer.from(message.buffer));
    }
  }
}
