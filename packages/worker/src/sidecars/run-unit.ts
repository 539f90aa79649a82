import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type { Logger } from 'pino';
import type { RunNetwork } from '../containers/run-network.ts';
import type { RunNetworks } from '../containers/run-networks.ts';
import type { Engine } from '../engine/engine.ts';
import { removedOrLost } from '../engine/engine-lost.ts';
import type { NetworkAccess, TaskclusterAccess } from '../taskcluster-access/taskcluster-access.ts';
import type { SidecarControl } from './sidecar-control.ts';
import { type SidecarOptions, startSidecar } from './start-sidecar.ts';

export interface RunUnitOptions
  extends Pick<SidecarOptions, 'owner' | 'images' | 'readySeconds' | 'cpus' | 'stateDirectory' | 'publish'> {
  /** Services to start on the network. */
  sidecars: readonly Sidecar[];
  networks: RunNetworks;
  /** To a Taskcluster that no network leads to. */
  access?: TaskclusterAccess;
  /** Gets what the services log. */
  logger: Logger;
}

interface Made {
  engine: Engine;
  network: RunNetwork;
  access: NetworkAccess | undefined;
  /** Owns the network, and the access to it. */
  made: AsyncDisposableStack;
}

/** The network of one task run with its sidecars attached and not yet configured. Its services are never used twice. */
export class RunUnit implements AsyncDisposable {
  /** Where the services' log lines go; a run that takes a unit over gives its own. */
  logger: Logger;
  readonly #engine: Engine;
  readonly #made: AsyncDisposableStack;
  readonly #options: RunUnitOptions;
  readonly #network: RunNetwork;
  readonly #access: NetworkAccess | undefined;
  readonly #sidecars = new Map<string, Promise<SidecarControl>>();
  readonly #started: SidecarControl[] = [];
  #failed = false;
  readonly #leaving = new AbortController();

  /** Resolves when the network exists; the sidecars go on booting. */
  static async create(engine: Engine, options: RunUnitOptions): Promise<RunUnit> {
    await using made = new AsyncDisposableStack();
    const network = await options.networks.take(options.owner);
    made.defer(() => removedOrLost(engine, () => network[Symbol.asyncDispose]()));
    const access = await options.access?.join(network);
    made.use(access);
    const unit = new RunUnit({ engine, network, access, made: made.move() }, options);
    for (const sidecar of options.sidecars) {
      unit.#start(sidecar, options.publish);
    }
    return unit;
  }

  private constructor({ engine, network, access, made }: Made, options: RunUnitOptions) {
    this.#engine = engine;
    this.#network = network;
    this.#access = access;
    this.#made = made;
    this.#options = options;
    this.logger = options.logger;
  }

  get network(): string {
    return this.#network.id;
  }

  /** Names that containers on it have to be told. */
  get extraHosts(): string[] {
    return this.#access?.extraHosts ?? [];
  }

  /** Settles when all sidecars have been started, or could not be. */
  get started(): Promise<unknown> {
    return Promise.allSettled(this.#sidecars.values());
  }

  /** False once a sidecar could not be started or has ended. */
  get usable(): boolean {
    return !this.#failed && this.#started.every((sidecar) => !sidecar.ended);
  }

  /**
   * Hands a sidecar its configuration and waits until it is ready.
   *
   * @param configOf is given the sidecar once it has been started
   * @throws SidecarFailure
   */
  async configure(
    { name }: Sidecar,
    configOf: (sidecar: SidecarControl) => unknown,
    onEvent?: (event: unknown) => void,
  ): Promise<SidecarControl> {
    const sidecar = await this.#sidecars.get(name);
    if (sidecar === undefined) {
      throw new Error(`the sidecar ${name} was not asked for when the network of the run was made`);
    }
    await sidecar.configure(await configOf(sidecar), onEvent);
    return sidecar;
  }

  /** Starts another one in place of a sidecar that has died; it is configured as the first was. */
  restart(sidecar: Sidecar): void {
    if (this.#leaving.signal.aborted) {
      throw new Error('the network of the run is being removed');
    }
    const { publish } = this.#options;
    // Where people have been told to find it.
    const port = this.#started.findLast(({ name }) => name === sidecar.name)?.knownPort;
    this.#start(sidecar, port === undefined ? publish : { ...publish, ports: String(port) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort(new Error('the run is over'));
    // A sidecar that is still being created must have an owner before the network can go.
    await Promise.allSettled(this.#sidecars.values());
    try {
      await Promise.all(this.#started.map((sidecar) => sidecar[Symbol.asyncDispose]()));
    } finally {
      await this.#made.disposeAsync();
    }
  }

  #start(sidecar: Sidecar, publish: RunUnitOptions['publish']): void {
    const started = startSidecar(this.#engine, sidecar, {
      ...this.#options,
      publish,
      network: this.network,
      extraHosts: this.extraHosts,
      signal: this.#leaving.signal,
      onLog: (line) => this.logger.info({ sidecar: sidecar.name }, line),
    });
    this.#sidecars.set(sidecar.name, started);
    started.then(
      (control) => this.#started.push(control),
      // Whoever configures it is told why.
      () => {
        this.#failed = true;
      },
    );
  }
}
