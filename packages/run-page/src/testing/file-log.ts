import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PageLog } from '../server/page-source.ts';

/** A log in a temporary file, which a test lets grow. */
export class FileLog implements PageLog, AsyncDisposable {
  readonly path: string;
  readonly #folder: string;
  readonly #listeners = new Set<() => void>();
  bytes = 0;
  ended = false;

  static async create(content: string | Buffer = ''): Promise<FileLog> {
    const log = new FileLog(await mkdtemp(join(tmpdir(), 'file-log-')));
    await writeFile(log.path, '');
    await log.write(content);
    return log;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'log');
  }

  async write(content: string | Buffer): Promise<void> {
    await appendFile(this.path, content);
    this.bytes += Buffer.byteLength(content);
    this.#tell();
  }

  end(): void {
    this.ended = true;
    this.#tell();
  }

  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** How many follow it. */
  get followers(): number {
    return this.#listeners.size;
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
