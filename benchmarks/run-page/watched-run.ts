import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { cpuSecondsOf } from '../process-figures.ts';

const worker = join(import.meta.dirname, '../../packages/worker/dist/main.js');

/** What one block of a run's log has cost, in seconds. */
export interface Block {
  /** From the end of the block before it to its own, as standard output has them. */
  time: number;
  /** Of a processor, meanwhile, by the worker, which serves the page too. */
  processor: number;
}

/** A run by `docker-worker run-task`, of which the log comes in blocks: each ends with a line `block`, the last one with `last block`. */
export class WatchedRun implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  /** Where the page is; never, without one. */
  readonly page: Promise<string>;
  readonly #closed: Promise<unknown>;

  constructor(script: string, { folder, name, page }: { folder: string; name: string; page: boolean }) {
    const file = join(folder, `${name}.json`);
    const command = ['bash', '-c', script];
    writeFileSync(file, JSON.stringify({ image: 'docker-worker/example-task', command, maxRunTime: 300 }));
    const argv = [worker, 'run-task', file, ...(page ? ['--page'] : [])];
    this.#child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    this.page = new Promise((resolve) => {
      createInterface(this.#child.stderr).on('line', (line) => {
        const [, url] = /^page: (http\S+)$/.exec(line) ?? [];
        if (url !== undefined) resolve(url);
      });
    });
  }

  /** As they come. Not read line by line, which would be what is measured. */
  async *blocks(): AsyncGenerator<Block> {
    let before: { at: number; processor: number } | undefined;
    let rest = '';
    for await (const chunk of this.#child.stdout.iterator({ destroyOnReturn: false })) {
      const text = rest + (chunk as Buffer).toString('latin1');
      // A mark may lie across two chunks.
      rest = text.slice(text.lastIndexOf('\n') + 1);
      if (!/^(last )?block$/m.test(text)) continue;
      const now = { at: performance.now() / 1000, processor: cpuSecondsOf(this.#child.pid ?? Number.NaN) };
      if (before !== undefined) {
        yield { time: now.at - before.at, processor: now.processor - before.processor };
      }
      before = now;
      if (/^last block$/m.test(text)) return;
    }
  }

  /** A run that is not over is cancelled, and its containers are removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdout.resume();
    this.#child.kill('SIGINT');
    await this.#closed;
  }
}
