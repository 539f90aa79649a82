import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** A task is refused when it has so many points. */
const mostPoints = 2;
/** No task can be claimed for so long. */
const longestMs = 7 * 24 * 3_600_000;

const Suspect = z.strictObject({ points: z.int().min(0) });

/**
 * Tasks that this worker was running when its process failed, in a file each, so that one which makes workers
 * fail does so once.
 */
export class Suspects {
  readonly #folder: string;

  constructor(stateDirectory: string) {
    this.#folder = join(stateDirectory, 'suspects');
  }

  /** Whether a task must not be run. */
  has(taskId: string): boolean {
    return this.#points(taskId) >= mostPoints;
  }

  /**
   * The process fails while these run. The one whose error it was is refused next time; where that is not
   * known, each is refused once it was there twice. At once: the process may have no time left.
   */
  accuse(taskIds: Iterable<string>, culprit?: string): void {
    mkdirSync(this.#folder, { recursive: true });
    for (const taskId of culprit === undefined ? taskIds : [culprit]) {
      const points = this.#points(taskId) + (culprit === undefined ? 1 : mostPoints);
      writeFileSync(join(this.#folder, taskId), JSON.stringify({ points } satisfies z.infer<typeof Suspect>));
    }
  }

  /** Forgets tasks that cannot come back. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const oldest = Date.now() - longestMs;
    for (const name of names) {
      const path = join(this.#folder, name);
      const { mtimeMs } = await stat(path);
      if (mtimeMs < oldest) {
        await rm(path, { force: true });
      }
    }
  }

  #points(taskId: string): number {
    try {
      return Suspect.parse(JSON.parse(readFileSync(join(this.#folder, taskId), 'utf8'))).points;
    } catch {
      return 0;
    }
  }
}
