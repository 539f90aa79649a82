export type Output = 'stdout' | 'stderr';

const headerBytes = 8;
const stderrStream = 2;

/**
 * Takes the engine's multiplexed stream apart: frames of a header (stream number, three zero bytes, length
 * as uint32 BE) and that many bytes. Content is passed on as it comes, without waiting for whole frames.
 */
export class Demultiplexer {
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  #output: Output = 'stdout';
  #remaining = 0;

  /** Calls `emit` with what `chunk` holds; the buffers are parts of `chunk`. */
  push(chunk: Buffer, emit: (output: Output, data: Buffer) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#remaining > 0) {
        const data = chunk.subarray(at, at + this.#remaining);
        this.#remaining -= data.length;
        at += data.length;
        emit(this.#output, data);
        continue;
      }
      const taken = chunk.copy(this.#header, this.#headerFilled, at, at + headerBytes - this.#headerFilled);
      this.#headerFilled += taken;
      at += taken;
      if (this.#headerFilled === headerBytes) {
        this.#headerFilled = 0;
        this.#output = this.#header[0] === stderrStream ? 'stderr' : 'stdout';
        this.#remaining = this.#header.readUInt32BE(4);
      }
    }
  }
}
