import { type FileHandle, open } from 'node:fs/promises';
import { countLineFeeds } from './count-line-feeds.ts';
import { LineReader } from './line-reader.ts';
import type { PageLog } from './page-source.ts';

const blockBytes = 64 * 1024;
/** Bytes that are read at a time to be counted. */
const pieceBytes = 16 * blockBytes;
const newline = 10;

/**
 * Where the lines of a log are: how many of them begin before each block of its file. It grows with the log when it is asked,
 * and takes 128 KiB of memory for a log of 1 GiB.
 */
export class LineIndex {
  readonly #log: PageLog;
  /** Line feeds before each block. */
  readonly #before: number[] = [0];
  #scanned = 0;
  #feeds = 0;
  #endsLine = true;
  #work: Promise<unknown> = Promise.resolve();

  constructor(log: PageLog) {
    this.#log = log;
  }

  /** Takes in what the log has grown by; gives how long it is. */
  extend(): Promise<{ lines: number; bytes: number; ended: boolean }> {
    const next = this.#work.then(async () => {
      const { ended, bytes } = this.#log;
      if (bytes > this.#scanned) {
        await using file = await open(this.#log.path, 'r');
        await this.#scan(file, bytes);
      }
      return { lines: this.#feeds + (this.#endsLine ? 0 : 1), bytes: this.#scanned, ended };
    });
    this.#work = next.catch(() => {});
    return next;
  }

  /**
   * So many lines, or as many as there are, without their line feeds. Of a line that was overwritten by carriage returns
   * what was left is given; of a long one its beginning.
   *
   * @param from counted from 0
   */
  async read(from: number, count: number): Promise<string[]> {
    const { bytes } = await this.extend();
    const block = this.#blockOf(from);
    const reader = new LineReader(from - (this.#before[block] ?? 0), count);
    await using file = await open(this.#log.path, 'r');
    const buffer = Buffer.allocUnsafe(blockBytes);
    for (let position = block * blockBytes; position < bytes && !reader.done; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(blockBytes, bytes - position), position);
      if (bytesRead === 0) {
        break;
      }
      reader.push(buffer.subarray(0, bytesRead));
      position += bytesRead;
      if (reader.isInLongLine && position % blockBytes === 0) {
        position = Math.max(position, this.#lineEndAfter(position));
      }
    }
    return reader.lines();
  }

  async #scan(file: FileHandle, until: number): Promise<void> {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, until - this.#scanned));
    while (this.#scanned < until) {
      const wanted = Math.min(piece.length, until - this.#scanned);
      const { bytesRead } = await file.read(piece, 0, wanted, this.#scanned);
      if (bytesRead === 0) {
        return;
      }
      for (let at = 0; at < bytesRead; ) {
        const left = blockBytes - (this.#scanned % blockBytes);
        const counted = piece.subarray(at, Math.min(bytesRead, at + left));
        this.#feeds += countLineFeeds(counted);
        this.#scanned += counted.length;
        at += counted.length;
        if (this.#scanned % blockBytes === 0) {
          this.#before.push(this.#feeds);
        }
      }
      this.#endsLine = piece[bytesRead - 1] === newline;
    }
  }

  /** The block in which the line feed before the line is. */
  #blockOf(line: number): number {
    let [low, high] = [0, line === 0 ? 0 : this.#before.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#before[middle] ?? 0) < line) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** From a position within a line to the block before the one in which that ends; what lies between need not be read. */
  #lineEndAfter(position: number): number {
    const here = position / blockBytes;
    const feeds = this.#before[here] ?? this.#feeds;
    let last = here;
    while (last + 1 < this.#before.length && this.#before[last + 1] === feeds) {
      last += 1;
    }
    return Math.max(here, last - 1) * blockBytes;
  }
}
