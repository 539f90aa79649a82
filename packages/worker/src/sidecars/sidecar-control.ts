import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Duplex, PassThrough, type Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import {
  ControlReply,
  type ControlRequest,
  type Credentials,
  controlLine,
} from '@docker-worker/service-kit/control';
import type { Container } from 'dockerode';
import { containerArchive } from '../containers/container-archive.ts';
import { attachHeld } from '../containers/held-open.ts';
import { removeContainer } from '../containers/remove-container.ts';
import type { ContainerDeath, ContainerWatch } from '../engine/container-deaths.ts';
import { type Engine, engineMessage } from '../engine/engine.ts';
import { removedOrLost } from '../engine/engine-lost.ts';
import type { PortTunnel } from './port-tunnel.ts';

/** Lines of a sidecar's own log that an error about it quotes. */
const quotedLines = 20;

export interface SidecarIdentity {
  name: string;
  image: string;
}

export interface SidecarControlOptions {
  /** How long the service may take to answer. */
  answerSeconds: number;
  /** How long it may take to end by itself. */
  stopSeconds: number;
  /** Gets each line that it logs. */
  onLog(line: string): void;
  /** The folder of the host that the service finds its sockets in. */
  sockets: string | undefined;
  /** Port of the data listener, as `80/tcp`. */
  port: string;
  /** Opens a way to that from a port of this host, where the engine does not publish it. */
  tunnel: (() => Promise<PortTunnel>) | undefined;
  /** Disposed of with the container. */
  resources: AsyncDisposableStack;
}

/**
 * A service's container and the channel over which the worker commands it. It holds the service's standard
 * input open for as long as this process lives, so the service ends with it.
 *
 * Every method rejects with a SidecarFailure that names image and cause and quotes the service's last words.
 */
export class SidecarControl implements AsyncDisposable {
  readonly name: string;
  /** The folder of the host that the service finds its sockets in. */
  readonly sockets: string | undefined;
  readonly #image: string;
  readonly #engine: Engine;
  readonly #container: Container;
  readonly #options: SidecarControlOptions;
  readonly #lastLines: string[] = [];
  readonly #watch: ContainerWatch;
  readonly #closed = Promise.withResolvers<void>();
  #onEvent: (event: unknown) => void = () => {};
  #channel: Duplex | undefined;
  #replies: AsyncIterator<string> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #ended = false;
  #port: number | undefined;
  #ending: Promise<void> | undefined;

  constructor(
    engine: Engine,
    container: Container,
    { name, image }: SidecarIdentity,
    options: SidecarControlOptions,
  ) {
    this.name = name;
    this.#image = image;
    this.#engine = engine;
    this.#container = container;
    this.sockets = options.sockets;
    this.#watch = engine.deaths.watch(container.id);
    this.#options = options;
  }

  /** Whether the service is gone, or this process no longer holds its channel. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Settles when the container has died. */
  get died(): Promise<ContainerDeath> {
    return this.#watch.died;
  }

  /** Starts the container; the service then waits for its configuration. */
  async start(): Promise<void> {
    try {
      await this.#attach();
      await this.#container.start();
    } catch (error) {
      throw this.failure(engineMessage(error));
    }
  }

  /**
   * Settles when the service is ready.
   *
   * @param onEvent gets what the service tells by itself, from now on to its end
   */
  configure(config: unknown, onEvent: (event: unknown) => void = () => {}): Promise<void> {
    this.#onEvent = onEvent;
    return this.#request({ type: 'configure', config }, 'ready');
  }

  /** Settles when the service has taken the new credentials over. */

  updateCredentials(credentials: Credentials): Promise<void> {
    return this.#request({ type: 'credentials', credentials }, 'applied');
  }

  /** The port of the host at which the service is published, if somebody has asked. */
  get knownPort(): number | undefined {
    return this.#port;
  }

  /** The port of the host at which the service is published; to be asked for once. */
  async publishedPort(): Promise<number> {
    const { tunnel, resources } = this.#options;
    if (tunnel !== undefined) {
      const opened = await tunnel();
      if (resources.disposed) {
        await opened[Symbol.asyncDispose]();
        throw this.failure('it has ended');
      }
      this.#port = resources.use(opened).port;
      return this.#port;
    }
    const { NetworkSettings: network } = await this.#container.inspect();
    const port = network.Ports[this.#options.port]?.[0]?.HostPort;
    if (port === undefined) {
      throw this.failure('it is published at no port of the host');
    }
    this.#port = Number(port);
    return this.#port;
  }

  /** Docker's tar stream of a path in the service's container. */
  async archive(path: string): Promise<Readable> {
    return await containerArchive(this.#container, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    this.#watch[Symbol.dispose]();
    this.#channel?.destroy();
    try {
      await removedOrLost(this.#engine, () => removeContainer(this.#engine.docker, this.#container.id));
    } finally {
      await this.#options.resources.disposeAsync();
    }
  }

  /**
   * Tells the service to end, by the end of its input, and waits for as long as it may take. Without such
   * time there is nothing that it must leave in order.
   */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    const { stopSeconds } = this.#options;
    if (stopSeconds === 0 || this.#channel === undefined || this.#ended) {
      return;
    }
    this.#channel.end();
    const ended = new AbortController();
    await Promise.race([
      this.#closed.promise,
      setTimeout(stopSeconds * 1000, undefined, { signal: ended.signal }).catch(() => {}),
      once(this.#engine.lost, 'abort', { signal: ended.signal }).catch(() => {}),
    ]);
    ended.abort();
  }

  async #attach(): Promise<void> {
    const { channel, stdout, stderr } = await attachHeld(this.#container);
    channel.once('close', () => {
      this.#ended = true;
      this.#closed.resolve();
    });
    createInterface({ input: stderr }).on('line', (line) => {
      this.#lastLines.push(line);
      this.#lastLines.splice(0, this.#lastLines.length - quotedLines);
      this.#options.onLog(line);
    });
    this.#channel = channel;
    const replies = new PassThrough({ objectMode: true });
    createInterface({ input: stdout })
      .on('line', (line) => this.#tellEvent(line) || replies.write(line))
      .on('close', () => replies.end());
    this.#replies = replies[Symbol.asyncIterator]();
  }

  /** Whether the line was an event, which is told at once, whatever answer is due. */
  #tellEvent(line: string): boolean {
    if (!line.startsWith('{"type":"event"')) {
      return false;
    }
    try {
      this.#onEvent((JSON.parse(line) as { event: unknown }).event);
    } catch (error) {
      this.#options.onLog(`an event could not be taken: ${(error as Error).message}`);
    }
    return true;
  }

  /** Waits for the answers to all earlier requests first. */
  #request(message: ControlRequest, expected: ControlReply['type']): Promise<void> {
    const answered = this.#turn.then(() => this.#exchange(message, expected));
    this.#turn = answered.catch(() => {});
    return answered;
  }

  async #exchange(message: ControlRequest, expected: ControlReply['type']): Promise<void> {
    this.#channel?.write(controlLine(message));
    const reply = await this.#reply();
    if (reply.type === 'refused') {
      throw this.failure(`it refused its ${reply.request}: ${reply.message}`);
    }
    if (reply.type !== expected) {
      throw this.failure(`it answered "${reply.type}" where "${expected}" was due`);
    }
  }

  async #reply(): Promise<ControlReply> {
    const answered = new AbortController();
    try {
      const line = await Promise.race([
        this.#replies?.next(),
        setTimeout(this.#options.answerSeconds * 1000, 'late' as const, { signal: answered.signal }),
        once(this.#engine.lost, 'abort', { signal: answered.signal }).then(() => undefined),
      ]);
      if (line === 'late') {
        throw this.failure(`it did not answer within ${this.#options.answerSeconds} s`);
      }
      if (line === undefined || line.done) {
        throw this.failure('it ended');
      }
      return this.#parsed(line.value);
    } finally {
      answered.abort();
    }
  }

  #parsed(line: string): ControlReply {
    try {
      return ControlReply.parse(JSON.parse(line));
    } catch {
      throw this.failure('it answered what is no answer of a service');
    }
  }

  /** What has happened to it, with its last words. */
  failure(reason: string): SidecarFailure {
    return new SidecarFailure({ name: this.name, image: this.#image }, reason, this.#lastLines);
  }
}

export class SidecarFailure extends Error {
  constructor({ name, image }: SidecarIdentity, reason: string, lastLines: readonly string[] = []) {
    const log = lastLines.length === 0 ? '' : `\nIts last words:\n${lastLines.join('\n')}`;
    super(`The sidecar ${name} (image ${image}) could not be used: ${reason}.${log}`);
    this.name = 'SidecarFailure';
  }
}
