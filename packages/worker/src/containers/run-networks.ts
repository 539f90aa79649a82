import type { Logger } from 'pino';
import type { Engine } from '../engine/engine.ts';
import { removedOrLost } from '../engine/engine-lost.ts';
import type { Owner } from '../ownership/labels.ts';
import { createRunNetwork, type RunNetwork } from './run-network.ts';

/** One that nobody takes for so long is removed. */
const idleMs = 10_000;

export interface RunNetworksOptions {
  engine: Engine;
  /** Range of which each gets a subnet. */
  subnets: string;
  /** How many are kept at most. */
  most: number;
  logger: Logger;
}

/**
 * The networks of runs. While runs follow each other, one of which nothing is left on it is handed on to a later run: to make
 * and to remove a network costs the engine about as much as a container.
 */
export class RunNetworks implements AsyncDisposable {
  readonly #options: RunNetworksOptions;
  readonly #kept = new Map<RunNetwork, NodeJS.Timeout>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  constructor(options: RunNetworksOptions) {
    this.#options = options;
  }

  /** A network with nothing on it, the caller's until it is disposed of. */
  async take(owner: Owner): Promise<RunNetwork> {
    const { engine, subnets } = this.#options;
    const network = (await this.#takeKept()) ?? (await createRunNetwork(engine.docker, owner, subnets));
    return { ...network, [Symbol.asyncDispose]: () => this.#giveBack(network) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const [network, timer] of this.#kept) {
      clearTimeout(timer);
      this.#remove(network);
    }
    await Promise.all(this.#leaving);
  }

  /** Somebody may have removed it meanwhile, as all networks that nothing is on, or put something on it. */
  async #takeKept(): Promise<RunNetwork | undefined> {
    for (const [network, timer] of this.#kept) {
      clearTimeout(timer);
      this.#kept.delete(network);
      if (await this.#isEmpty(network)) {
        return network;
      }
      this.#remove(network);
    }
    return undefined;
  }

  async #giveBack(network: RunNetwork): Promise<void> {
    if (!this.#closed && this.#kept.size < this.#options.most) {
      this.#kept.set(network, setTimeout(() => this.#remove(network), idleMs).unref());
    } else {
      await network[Symbol.asyncDispose]();
    }
  }

  /** By the engine's word. */
  async #isEmpty({ id }: RunNetwork): Promise<boolean> {
    const answer = await this.#options.engine.docker
      .getNetwork(id)
      .inspect()
      .catch(() => undefined);
    return answer !== undefined && Object.keys(answer.Containers ?? {}).length === 0;
  }

  #remove(network: RunNetwork): void {
    this.#kept.delete(network);
    const { engine, logger } = this.#options;
    const leaving = removedOrLost(engine, () => network[Symbol.asyncDispose]())
      .catch((error: Error) => logger.error({ err: error }, 'a network of runs could not be removed'))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}
