import type { LogLength } from './live-parts.ts';

const chunkLines = 200;
/** So many chunks are kept; the ones looked at last. */
const mostChunks = 12;

/** The lines of a log that somebody looks at, fetched in chunks; no more than a few thousand are in memory. */
export class LogLines {
  readonly #address: string;
  readonly #onLines: () => void;
  readonly #chunks = new Map<number, string[]>();
  readonly #fetching = new Map<number, AbortController>();
  #length: LogLength = { lines: 0, bytes: 0, ended: false };

  /** @param onLines told when lines have come that were not there */
  constructor(address: string, onLines: () => void) {
    this.#address = address;
    this.#onLines = onLines;
  }

  get count(): number {
    return this.#length.lines;
  }

  get ended(): boolean {
    return this.#length.ended;
  }

  grow(length: LogLength): void {
    // The line that was last may go on, and the chunk that it is in has more lines now.
    const last = Math.floor(Math.max(0, this.#length.lines - 1) / chunkLines);
    for (const [chunk, fetching] of this.#fetching) {
      if (chunk >= last) {
        fetching.abort();
        this.#fetching.delete(chunk);
      }
    }
    this.#stale.add(last);
    this.#length = length;
  }

  /** A line, counted from 0, or `undefined` until it has come. */
  get(line: number): string | undefined {
    const chunk = Math.floor(line / chunkLines);
    const lines = this.#chunks.get(chunk);
    if (lines === undefined || this.#stale.has(chunk)) {
      this.#fetch(chunk);
    }
    if (lines !== undefined) {
      this.#chunks.delete(chunk);
      this.#chunks.set(chunk, lines);
    }
    return lines?.[line % chunkLines];
  }

  /** Chunks that are shown as they were until they have been fetched anew. */
  readonly #stale = new Set<number>();

  #fetch(chunk: number): void {
    if (this.#fetching.has(chunk)) {
      return;
    }
    const fetching = new AbortController();
    this.#fetching.set(chunk, fetching);
    const query = new URLSearchParams({ from: String(chunk * chunkLines), count: String(chunkLines) });
    fetch(`${this.#address}/lines?${query}`, { signal: fetching.signal })
      .then(async (answer) => {
        const { lines } = (await answer.json()) as { lines: string[] };
        this.#fetching.delete(chunk);
        this.#stale.delete(chunk);
        this.#keep(chunk, lines);
        this.#onLines();
      })
      // What could not be fetched is asked for again when it is looked at again.
      .catch(() => this.#fetching.get(chunk) === fetching && this.#fetching.delete(chunk));
  }

  #keep(chunk: number, lines: string[]): void {
    this.#chunks.set(chunk, lines);
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= mostChunks) {
        break;
      }
      this.#chunks.delete(oldest);
      this.#stale.delete(oldest);
    }
  }
}
