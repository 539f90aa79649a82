import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import type { Engine } from '../engine/engine.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import type { KeptThing } from './kept-thing.ts';

/** What a part of the host is opened with. */
export interface PartHost {
  config: WorkerConfig;
  /** Name of the worker as its labels carry it. */
  workerName: string;
  engine: Engine;
  logger: Logger;
  /** Counts what happens, where somebody looks. */
  metrics?: WorkerMetrics;
}

/**
 * What a feature, or another part of the worker, keeps on the host for all runs: a store, a pool, a journal. The worker
 * opens each once, and disposes of it when its last run has ended.
 */
export interface HostPart<Open extends OpenPart = OpenPart> {
  open(host: PartHost): Open;
}

/** What the worker asks of an open part; all of it is optional. */
export interface OpenPart extends Partial<AsyncDisposable> {
  /** Removes what killed workers of this name left; returns how many things. Called before the first claim. */
  sweep?(): Promise<number>;
  /**
   * How many more tasks can be claimed, whatever they ask for.
   *
   * @param claimed payloads of the tasks that are claimed already, which nobody may have examined yet
   */
  room?(claimed: readonly unknown[]): number | Promise<number>;
  /** Removes what no run uses until there is `enough` room on the disk; the parts are asked in their order. */
  freeUp?(enough: () => Promise<boolean>): Promise<void>;
  /** What it keeps for later tasks, for people to see. */
  kept?(): Promise<KeptThing[]>;
  /** Removes what nobody has used for long; called after each run, which does not wait for it. */
  collect?(): Promise<void>;
}

/** The parts of a worker, each opened when it is first asked for. */
export class HostParts implements AsyncDisposable {
  readonly #host: PartHost;
  readonly #open = new Map<HostPart, OpenPart>();

  constructor(host: PartHost, parts: readonly HostPart[] = []) {
    this.#host = host;
    for (const part of parts) {
      this.of(part);
    }
  }

  of<Open extends OpenPart>(part: HostPart<Open>): Open {
    const open = this.#open.get(part) ?? part.open(this.#host);
    this.#open.set(part, open);
    return open as Open;
  }

  [Symbol.iterator](): Iterator<OpenPart> {
    return this.#open.values();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.values()].map((part) => part[Symbol.asyncDispose]?.()));
  }
}
