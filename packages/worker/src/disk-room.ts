import { engineDisk } from './engine/free-disk.ts';
import type { RunHost } from './run/run.ts';

type Host = Pick<RunHost, 'config' | 'engine' | 'parts' | 'logger' | 'metrics'>;

/** Room on the disk that images, containers and caches of tasks share. */
export class DiskRoom {
  readonly #host: Host;
  #collecting: Promise<void> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Whether there is room for so many tasks. What no task uses is removed to make it, part by part and no more of it than
   * it takes.
   */
  async isEnoughFor(tasks: number): Promise<boolean> {
    const { config, engine, parts, logger, metrics } = this.#host;
    const needed = config.capacityManagement.diskspaceThreshold * tasks;
    const enough = async () =>
      ((await engineDisk(engine.docker, config.dockerVolume))?.free ?? needed) >= needed;
    if (needed === 0 || (await enough())) {
      return true;
    }
    for (const part of parts) {
      await part.freeUp?.(enough).catch((error: Error) => this.#failed(error));
      if (await enough()) {
        return true;
      }
    }
    metrics?.diskRefusals.inc();
    logger.error({ needed }, '[alert-operator] diskspace threshold reached');
    return false;
  }

  /** Removes what nobody has used for long. Nothing waits for it. */
  collectGarbage(): void {
    this.#collecting = Promise.all([...this.#host.parts].map((part) => part.collect?.())).then(
      () => {},
      (error: Error) => this.#failed(error),
    );
  }

  async settled(): Promise<void> {
    await this.#collecting;
  }

  #failed(error: Error): void {
    this.#host.logger.error({ err: error }, 'what nobody uses could not be removed');
  }
}
