import { type FileHandle, open, rm } from 'node:fs/promises';
import type { PageLog } from '@docker-worker/run-page';

/** A log in a file, of short lines with some colour. */
export class GrowingLog implements PageLog, AsyncDisposable {
  readonly path: string;
  readonly ended = false;
  readonly #file: FileHandle;
  readonly #listeners = new Set<() => void>();
  #bytes = 0;
  #line = 0;

  static async create(path: string): Promise<GrowingLog> {
    return new GrowingLog(path, await open(path, 'w'));
  }

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** By so many bytes, or up to one line more. */
  async grow(bytes: number): Promise<void> {
    for (const end = this.#bytes + bytes; this.#bytes < end; ) {
      let piece = '';
      while (piece.length < Math.min(1024 ** 2, end - this.#bytes)) {
        piece += `line ${this.#line} \x1b[32mof a long build\x1b[0m with some words\n`;
        this.#line += 1;
      }
      this.#bytes += (await this.#file.write(piece)).bytesWritten;
    }
    for (const listener of this.#listeners) {
      listener();
    }
  }

  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.path);
  }
}
