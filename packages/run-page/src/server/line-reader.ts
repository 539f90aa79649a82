/** Bytes of a line that are shown. */
const mostBytes = 4 * 1024;
/** After so many a line counts as long. */
const longBytes = 256 * 1024;
const lineFeed = 10;
const carriageReturn = 13;

/** Picks lines out of a stream of bytes: skips some, then keeps so many. */
export class LineReader {
  readonly #lines: string[] = [];
  readonly #count: number;
  #skip: number;
  readonly #line = Buffer.allocUnsafe(mostBytes);
  #length = 0;
  /** Bytes of the line so far, whatever becomes of them. */
  #seen = 0;
  #isCut = false;
  /** A carriage return was seen: what follows, unless it is the end of the line, takes the place of what is there. */
  #restarts = false;

  constructor(skip: number, count: number) {
    this.#skip = skip;
    this.#count = count;
  }

  get done(): boolean {
    return this.#lines.length >= this.#count;
  }

  get isInLongLine(): boolean {
    return this.#seen > longBytes;
  }

  push(bytes: Buffer): void {
    for (const byte of bytes) {
      if (this.done) {
        return;
      }
      if (this.#skip > 0) {
        this.#skip -= byte === lineFeed ? 1 : 0;
      } else {
        this.#take(byte);
      }
    }
  }

  /** Those that were kept, the last one included though it has no end yet. */
  lines(): string[] {
    if (!this.done && this.#seen > 0) {
      this.#end();
    }
    return this.#lines;
  }

  #take(byte: number): void {
    if (byte === lineFeed) {
      this.#end();
      return;
    }
    this.#seen += 1;
    if (byte === carriageReturn) {
      this.#restarts = true;
      return;
    }
    if (this.#restarts) {
      this.#restarts = false;
      this.#isCut = false;
      this.#length = 0;
    }
    if (this.#length < mostBytes) {
      this.#line[this.#length] = byte;
      this.#length += 1;
    } else {
      this.#isCut = true;
    }
  }

  #end(): void {
    const text = this.#line.toString('utf8', 0, this.#length);
    this.#lines.push(this.#isCut ? `${text}… (a long line: see the raw log)` : text);
    this.#length = 0;
    this.#seen = 0;
    this.#isCut = false;
    this.#restarts = false;
  }
}
