/** The last bytes of a stream, addressed by their position in it. */
export class Scrollback {
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #start = 0;
  #end = 0;

  /** @param limit bytes that are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Position behind the last byte. */
  get end(): number {
    return this.#end;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#end += chunk.length;
    while (this.#end - this.#start > this.#limit) {
      const [oldest] = this.#chunks;
      if (oldest === undefined || this.#end - this.#start - oldest.length < this.#limit) {
        break;
      }
      this.#start += oldest.length;
      this.#chunks.shift();
    }
  }

  /** What is kept from `position` on; it begins later when that has been dropped. */
  from(position: number): { position: number; data: Buffer } {
    const begin = Math.min(Math.max(position, this.#start), this.#end);
    return { position: begin, data: Buffer.concat(this.#chunks).subarray(begin - this.#start) };
  }
}
