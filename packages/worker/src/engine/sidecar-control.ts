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
import { type Engine, engineMessage } from './engine.ts';
import { removeContainer } from './remove-container.ts';

/** Lines of a sidecar's own log that an error about it quotes. */
const quotedLines = 20;

export interface SidecarIdentity {
  name: string;
  image: string;
}

export interface SidecarControlOptions {
  answerSeconds: number;
  onLog(line: string): void;
  /** The folder of the host that the service finds its sockets in. */
  sockets: string | undefined;
  /** Port of the data listener, as `80/tcp`. */
  port: string;
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
  readonly #answerSeconds: number;
  readonly #onLog: (line: string) => void;
  readonly #port: string;
  readonly #resources: AsyncDisposableStack;
  readonly #lastLines: string[] = [];
  #channel: Duplex | undefined;
  #replies: AsyncIterator<string> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(
    engine: Engine,
    container: Container,
    { name, image }: SidecarIdentity,
    { answerSeconds, onLog, sockets, port, resources }: SidecarControlOptions,
  ) {
    this.name = name;
    this.#image = image;
    this.#engine = engine;
    this.#container = container;
    this.#answerSeconds = answerSeconds;
    this.#onLog = onLog;
    this.sockets = sockets;
    this.#port = port;
    this.#resources = resources;
  }

  /** Whether the service is gone, or this process no longer holds its channel. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Starts the container; the service then waits for its configuration. */
  async start(): Promise<void> {
    try {
      await this.#attach();
      await this.#container.start();
    } catch (error) {
      throw this.#failure(engineMessage(error));
    }
  }

  /** Settles when the service is ready. */
  configure(config: unknown): Promise<void> {
    return this.#request({ type: 'configure', config }, 'ready');
  }

  /** Settles when the service has taken the new credentials over. */

  updateCredentials(credentials: Credentials): Promise<void> {
    return this.#request({ type: 'credentials', credentials }, 'applied');
  }

  /** The port of the host at which the service is published. */
  async publishedPort(): Promise<number> {
    const { NetworkSettings: network } = await this.#container.inspect();
    const port = network.Ports[this.#port]?.[0]?.HostPort;
    if (port === undefined) {
      throw this.#failure('it is published at no port of the host');
    }
    return Number(port);
  }

  /** Docker's tar stream of a path in the service's container. */
  async archive(path: string): Promise<Readable> {
    return (await this.#container.getArchive({ path })) as Readable;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel?.destroy();
    try {
      await removeContainer(this.#engine.docker, this.#container.id);
    } finally {
      await this.#resources.disposeAsync();
    }
  }

  async #attach(): Promise<void> {
    const channel = await this.#container.attach({
      stream: true,
      hijack: true,
      stdin: true,
      stdout: true,
      stderr: true,
    });
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    this.#container.modem.demuxStream(channel, stdout, stderr);
    channel.on('error', () => {});
    channel.once('close', () => {
      this.#ended = true;
      stdout.end();
      stderr.end();
    });
    createInterface({ input: stderr }).on('line', (line) => {
      this.#lastLines.push(line);
      this.#lastLines.splice(0, this.#lastLines.length - quotedLines);
      this.#onLog(line);
    });
    this.#channel = channel as Duplex;
    this.#replies = createInterface({ input: stdout })[Symbol.asyncIterator]();
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
      throw this.#failure(`it refused its ${reply.request}: ${reply.message}`);
    }
    if (reply.type !== expected) {
      throw this.#failure(`it answered "${reply.type}" where "${expected}" was due`);
    }
  }

  async #reply(): Promise<ControlReply> {
    const answered = new AbortController();
    try {
      const line = await Promise.race([
        this.#replies?.next(),
        setTimeout(this.#answerSeconds * 1000, 'late' as const, { signal: answered.signal }),
        once(this.#engine.lost, 'abort', { signal: answered.signal }).then(() => undefined),
      ]);
      if (line === 'late') {
        throw this.#failure(`it did not answer within ${this.#answerSeconds} s`);
      }
      if (line === undefined || line.done) {
        throw this.#failure('it ended');
      }
      return ControlReply.parse(JSON.parse(line.value));
    } finally {
      answered.abort();
    }
  }

  #failure(reason: string): SidecarFailure {
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
