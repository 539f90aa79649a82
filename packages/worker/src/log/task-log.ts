import { EventEmitter, once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { SecretMask } from './secret-mask.ts';

/** Bytes handed to a reader at a time. */
const readSize = 64 * 1024;
const newline = 10;

/**
 * The log of one task run: a file on disk that any number of readers follow from the first byte while it
 * grows, each at its own pace. Memory does not grow with the log nor with slow readers.
 */
export class TaskLog implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #growth = new EventEmitter().setMaxListeners(0);
  readonly #mask = new SecretMask();
  #writing: Promise<void> = Promise.resolve();
  #size = 0;
  /** Whether the next byte begins a line. */
  #atLineStart = true;
  #closed = false;
  #failure: Error | undefined;

  static async open(path: string): Promise<TaskLog> {
    return new TaskLog(path, await open(path, 'ax', 0o600));
  }

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /**
   * From when it settles on these appear nowhere in the log; returns how many are too short for that.
   *
   * @param until when they are worth nothing any more, in epoch milliseconds; default: never
   */
  conceal(secrets: Iterable<string>, until?: number): Promise<number> {
    return this.#mask.learn(secrets, until);
  }

  /** Bytes that readers find in the file. */
  get bytes(): number {
    return this.#size;
  }

  /** Whether nothing more is written. */
  get ended(): boolean {
    return this.#closed;
  }

  /** Calls `listener` when there is more in the file, or the log has ended, until the returned function is called. */
  onGrowth(listener: () => void): () => void {
    this.#growth.on('growth', listener);
    return () => void this.#growth.off('growth', listener);
  }

  /** A line of the worker's: `[taskcluster <time>] <text>`. */
  worker(text: string): void {
    const time = new Date().toISOString().replace('T', ' ');
    this.#flush();
    this.#say(`${this.#atLineStart ? '' : '\n'}[taskcluster ${time}] ${text}\n`);
  }

  /** A line that log parsers take as the cause of a failure; the line feed before it puts it at column 0. */
  error(text: string): void {
    this.#say(`\n[taskcluster:error] ${text}\n`);
  }

  /** Text as it is, as in the blank line after the header and in the progress of pulls. */
  raw(text: string): void {
    this.#say(text);
  }

  /** A sink for the container's bytes, which are not altered but for secrets. */
  output(): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.#append(this.#mask.push(chunk)).then(() => done(this.#failure ?? null), done);
      },
    });
  }

  /**
   * Follows the log from its first byte to its last; ends when the log is closed or `signal` aborts. A reader
   * has the file open itself, so that a slow one outlives the run.
   *
   * @param into is filled anew with each piece, for a reader that keeps none; default: each piece has memory of its own
   */
  async *read(signal?: AbortSignal, into?: Buffer): AsyncGenerator<Buffer> {
    await using file = await open(this.path, 'r');
    for (let position = 0; ; ) {
      while (position < this.#size && !signal?.aborted) {
        const left = this.#size - position;
        const buffer = into ?? Buffer.allocUnsafe(Math.min(readSize, left));
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, left), position);
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      if (this.#closed || signal?.aborted) {
        return;
      }
      try {
        await once(this.#growth, 'growth', { signal });
      } catch {
        return;
      }
    }
  }

  /** Nothing is written after this. Rejects when something that was written did not reach the file. */
  async close(): Promise<void> {
    this.#flush();
    await this.#writing;
    this.#closed = true;
    this.#growth.emit('growth');
    if (this.#failure) {
      throw new Error(`the task's log could not be written: ${this.#failure.message}`, {
        cause: this.#failure,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {});
    await this.#file.close();
  }

  #say(text: string): void {
    this.#flush();
    void this.#append(Buffer.concat([this.#mask.push(Buffer.from(text)), this.#mask.flush()]));
  }

  /** What a task had printed of a word that turned out to be none of its secrets. */
  #flush(): void {
    const rest = this.#mask.flush();
    if (rest.length > 0 && !this.#closed) {
      void this.#append(rest);
    }
  }

  #append(chunk: Buffer): Promise<void> {
    if (this.#closed) {
      this.#failure ??= new Error('it was closed');
      return this.#writing;
    }
    this.#atLineStart = chunk.length === 0 ? this.#atLineStart : chunk.at(-1) === newline;
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#file.appendFile(chunk);
        this.#size += chunk.length;
        this.#growth.emit('growth');
      } catch (error) {
        this.#failure ??= error as Error;
      }
    });
    return this.#writing;
  }
}
