import { all } from '../async/all.ts';
import { isOwnAddress } from '../containers/own-address.ts';
import type { RunNetwork } from '../containers/run-network.ts';
import type { Engine } from '../engine/engine.ts';
import { Door } from './door.ts';

/** What containers call the Taskcluster of this process, wherever they run. */
export const taskclusterName = 'local-taskcluster';

/** How the containers on one network reach it. */
export interface NetworkAccess extends AsyncDisposable {
  /** For each of the containers, as Docker takes them. */
  extraHosts: string[];
}

export interface TaskclusterAccessOptions {
  engine: Engine;
  /** Name of the worker, for labels. */
  worker: string;
  /** Range of which the relay's network gets a subnet. */
  subnets: string;
  /** Finds an image of this engine with Node. */
  image(): Promise<string>;
}

/**
 * Lets the containers of runs reach a Taskcluster that listens on loopback, under one root URL on every engine: by the gateway
 * of their network, when that is an address of this host; by the engine's `host-gateway`; else by a relay container, which works
 * wherever containers can be started.
 */
export class TaskclusterAccess implements AsyncDisposable {
  /** What containers reach it by. */
  readonly rootUrl: string;
  readonly #options: TaskclusterAccessOptions;
  readonly #port: number;
  readonly #taskcluster: PromiseWithResolvers<number>;
  readonly #resources: AsyncDisposableStack;
  #way: Promise<(network: string) => Promise<NetworkAccess>> | undefined;

  static async open(options: TaskclusterAccessOptions): Promise<TaskclusterAccess> {
    await using resources = new AsyncDisposableStack();
    const taskcluster = Promise.withResolvers<number>();
    // Where a host gateway leads. It keeps the port for the other addresses, too.
    const door = resources.use(await Door.open('127.0.0.1', 0, taskcluster.promise));
    return new TaskclusterAccess(options, door, taskcluster, resources.move());
  }

  private constructor(
    options: TaskclusterAccessOptions,
    { port }: Door,
    taskcluster: PromiseWithResolvers<number>,
    resources: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#port = port;
    this.#taskcluster = taskcluster;
    this.#resources = resources;
    this.rootUrl = `http://${taskclusterName}:${port}`;
  }

  /** Says where it listens; whoever has called before has waited. */
  serve({ url }: { url: string }): void {
    this.#taskcluster.resolve(Number(new URL(url).port));
  }

  /** Before containers are made on the network. */
  async join({ id, gateway }: RunNetwork): Promise<NetworkAccess> {
    if (await isOwnAddress(gateway)) {
      const door = await Door.open(gateway, this.#port, this.#taskcluster.promise);
      return {
        extraHosts: [`${taskclusterName}:${gateway}`],
        [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
      };
    }
    this.#way ??= this.#findWay().catch((error) => {
      this.#way = undefined;
      throw error;
    });
    return await (await this.#way)(id);
  }

  async #findWay(): Promise<(network: string) => Promise<NetworkAccess>> {
    const { image: findImage, ...options } = this.#options;
    // Most engines need neither.
    const [image, { Relay }, { reachesByHostGateway }] = await Promise.all([
      findImage(),
      import('./relay.ts'),
      import('./host-gateway.ts'),
    ]);
    let isWanted = true;
    const starting = Relay.start({
      ...options,
      image,
      port: this.#port,
      taskcluster: this.#taskcluster.promise,
      onEnd: () => {
        if (isWanted) {
          this.#way = undefined;
        }
      },
    });
    const [relay, isGateway] = await all([
      starting.then((started) => this.#resources.use(started)),
      reachesByHostGateway({ ...options, image }),
    ]);
    if (isGateway) {
      isWanted = false;
      await relay[Symbol.asyncDispose]();
      const extraHosts = [`${taskclusterName}:host-gateway`];
      return async () => ({ extraHosts, async [Symbol.asyncDispose]() {} });
    }
    return async (network) => {
      const joined = await relay.join(network, taskclusterName);
      return { extraHosts: [], [Symbol.asyncDispose]: () => joined[Symbol.asyncDispose]() };
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}
