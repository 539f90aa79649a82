import { performServerHandshake } from 'node:http2';
import { createInterface } from 'node:readline';
import { Duplex, type PassThrough } from 'node:stream';
import type { HostConfig } from 'dockerode';
import { attachHeld, heldOpen } from '../containers/held-open.ts';
import { removeContainer } from '../containers/remove-container.ts';
import { createRunNetwork } from '../containers/run-network.ts';
import { type Engine, engineStatus } from '../engine/engine.ts';
import { removedOrLost } from '../engine/engine-lost.ts';
import { possibleLimits } from '../engine/possible-limits.ts';
import { containerName } from '../ownership/container-name.ts';
import { type Owner, ownershipLabels } from '../ownership/labels.ts';
import { connectTo } from './door.ts';
import { relayProgram } from './relay-program.ts';

export interface RelayOptions {
  engine: Engine;
  /** Name of the worker, for labels. */
  worker: string;
  /** Range of which its own network gets a subnet. */
  subnets: string;
  /** One with Node. */
  image: string;
  /** On which it listens in its networks. */
  port: number;
  /** The port of this host's loopback to which it leads. */
  taskcluster: Promise<number>;
  /** Called when it has ended, whoever has ended it. */
  onEnd(): void;
}

export interface RelayContainerOptions extends Pick<RelayOptions, 'engine' | 'image' | 'onEnd'> {
  owner: Owner;
  /** The port, or the path of the socket, at which it listens. */
  at: string;
  /** Gets each connection. */
  onConnection(stream: Duplex): void;
  hostConfig: HostConfig;
  /** Default: the image's. */
  user?: string;
}

const memoryLimit = 256 * 1024 * 1024;
/** Of what is under way in one direction: as much as a link with a long delay takes. */
const windowBytes = 16 * 1024 * 1024;
const streamWindowBytes = 1024 * 1024;

/**
 * A container that brings the connections which others make to it to this process, over its standard streams. It ends with this
 * process, which holds its input open.
 */
export class Relay implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #container: string;
  readonly #resources: AsyncDisposableStack;

  static async start(options: RelayOptions): Promise<Relay> {
    const { engine, worker, subnets, image, port } = options;
    const { docker } = engine;
    await using resources = new AsyncDisposableStack();
    const owner = { worker, taskRun: 'relay' };
    const network = await createRunNetwork(docker, owner, subnets);
    resources.defer(() => removedOrLost(engine, () => network[Symbol.asyncDispose]()));
    const container = await startRelayContainer({
      ...{ engine, owner, image, at: String(port), onEnd: options.onEnd },
      onConnection: (stream) => void options.taskcluster.then((inner) => connectTo(stream, { port: inner })),
      hostConfig: { NetworkMode: network.id },
    });
    resources.use(container);
    return new Relay(engine, container.id, resources.move());
  }

  private constructor(engine: Engine, container: string, resources: AsyncDisposableStack) {
    this.#engine = engine;
    this.#container = container;
    this.#resources = resources;
  }

  /** Lets the containers of a network reach it by a name, until the result is disposed of. */
  async join(network: string, alias: string): Promise<AsyncDisposable> {
    const joined = this.#engine.docker.getNetwork(network);
    await joined.connect({ Container: this.#container, EndpointConfig: { Aliases: [alias] } });
    return {
      [Symbol.asyncDispose]: () =>
        removedOrLost(this.#engine, async () => {
          await joined.disconnect({ Container: this.#container, Force: true }).catch((error: unknown) => {
            // It has ended, and left all its networks.
            if (engineStatus(error) === undefined) {
              throw error;
            }
          });
        }),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

/** Starts one that listens when this settles. */
export async function startRelayContainer(
  options: RelayContainerOptions,
): Promise<AsyncDisposable & { id: string }> {
  const { engine, owner, image, at, onConnection, onEnd, hostConfig, user } = options;
  const { docker } = engine;
  await using resources = new AsyncDisposableStack();
  const container = await docker.createContainer({
    name: containerName(owner, 'relay'),
    Image: image,
    Entrypoint: ['node', '-e', relayProgram, at],
    Cmd: [],
    ...(user === undefined ? {} : { User: user }),
    Labels: ownershipLabels(owner, 'relay'),
    ...heldOpen,
    HostConfig: possibleLimits(
      {
        ...hostConfig,
        AutoRemove: true,
        CapDrop: ['ALL'],
        ReadonlyRootfs: true,
        SecurityOpt: ['no-new-privileges'],
        Memory: memoryLimit,
      },
      engine.capabilities,
    ),
  });
  resources.defer(() => removedOrLost(engine, () => removeContainer(docker, container.id)));
  const { channel, stdout, stderr } = await attachHeld(container);
  resources.defer(() => void channel.destroy());
  channel.once('close', onEnd);
  serve(Duplex.from({ readable: stdout, writable: channel }), onConnection);
  await container.start();
  await listens(stderr);
  const owned = resources.move();
  return { id: container.id, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function serve(duplex: Duplex, onConnection: (stream: Duplex) => void): void {
  const session = performServerHandshake(duplex, { settings: { initialWindowSize: streamWindowBytes } });
  session.setLocalWindowSize(windowBytes);
  session.on('error', () => {});
  session.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    onConnection(stream);
  });
}

/** Settles when the program says that it listens. */
async function listens(stderr: PassThrough): Promise<void> {
  const words: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    if (line === 'listening') {
      stderr.resume();
      return;
    }
    words.push(line);
  }
  throw new Error(`the relay ended before it listened: ${words.join('\n').trim() || 'without a word'}`);
}
