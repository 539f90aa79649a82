import type { WorkerConfig } from './config/config.ts';
import { type Disk, engineDisk } from './engine/free-disk.ts';
import type { RunHost } from './run/run.ts';

type Host = Pick<RunHost, 'config' | 'engine' | 'parts' | 'logger' | 'metrics'>;

const usualBytesPerTask = 30_000_000_000;
/** Of the disk. A small one would never have as much as is usual. */
const usualShare = 0.05;

/** Bytes that must be free for each task that is claimed. */
export function bytesPerTask({ capacityManagement }: WorkerConfig, { size }: Pick<Disk, 'size'>): number {
  return capacityManagement.diskspaceThreshold ?? Math.min(usualBytesPerTask, Math.round(size * usualShare));
}

/** For how many of so many tasks a disk has room. */
export function roomOn(disk: Disk, config: WorkerConfig, tasks: number): number {
  const needed = bytesPerTask(config, disk);
  return needed === 0 ? tasks : Math.min(tasks, Math.floor(disk.free / needed));
}

/** Room on the disk that images, containers and caches of tasks share. */
export class DiskRoom {
  readonly #host: Host;
  #collecting: Promise<void> = Promise.resolve();
  /** What was said last about tasks that there is no room for. */
  #told: number | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * For how many of so many tasks there is room. When there is none for any, what no task uses is removed, part by part
   * and no more of it than it takes for one.
   */
  async roomFor(tasks: number): Promise<number> {
    const { metrics, parts, logger } = this.#host;
    let [room, disk] = await this.#room(tasks);
    for (const part of parts) {
      if (room > 0) {
        break;
      }
      const enough = async () => (await this.#room(1))[0] > 0;
      await part.freeUp?.(enough).catch((error: Error) => this.#failed(error));
      [room, disk] = await this.#room(tasks);
    }
    if (room === 0) {
      metrics?.diskRefusals.inc();
    }
    if (disk !== undefined && room < tasks && room !== this.#told) {
      const facts = { free: disk.free, perTask: bytesPerTask(this.#host.config, disk), tasks, room };
      const message = 'capacityManagement.diskspaceThreshold says how much has to be free for each task';
      if (room === 0) logger.error({ ...facts, message }, '[alert-operator] diskspace threshold reached');
      else logger.warn({ ...facts, message }, 'fewer tasks are claimed for lack of disk');
    }
    this.#told = room < tasks ? room : undefined;
    return room;
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

  /** Of an engine on another machine nothing is known. */
  async #room(tasks: number): Promise<[number, Disk | undefined]> {
    const { config, engine } = this.#host;
    const disk = await engineDisk(engine, config.dockerVolume);
    return [disk === undefined ? tasks : roomOn(disk, config, tasks), disk];
  }

  #failed(error: Error): void {
    this.#host.logger.error({ err: error }, 'what nobody uses could not be removed');
  }
}
