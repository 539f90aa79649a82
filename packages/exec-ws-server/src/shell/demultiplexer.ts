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

  /**
   * Calls `emit` with what `chunk` holds, as few times as its order allows. The buffers are parts of `chunk`,
   * whose content is moved together over the headers.
   */
  push(chunk: Buffer, emit: (output: Output, data: Buffer) => void): void {
    let start = 0;
    let end = 0;
    const flush = () => {
      if (end > start) emit(this.#output, chunk.subarray(start, end));
    };
    for (let at = 0; at < chunk.length; ) {
      if (this.#remaining > 0) {
        const length = Math.min(this.#remaining, chunk.length - at);
        if (end !== at) {
          chunk.copyWithin(end, at, at + length);
        }
        this.#remaining -= length;
        at += length;
        end += length;
        continue;
      }
      const taken = chunk.copy(this.#header, this.#headerFilled, at, at + headerBytes - this.#headerFilled);
      this.#headerFilled += taken;
      at += taken;
      if (this.#headerFilled < headerBytes) break;
      this.#headerFilled = 0;
      this.#remaining = this.#header.readUInt32BE(4);
      const output = this.#header[0] === stderrStream ? 'stderr' : 'stdout';
      if (output !== this.#output || end === start) {
        flush();
        this.#output = output;
        start = at;
        end = at;
      }
    }
    flush();
  }
}
