import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Duplex, PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import {
  ControlReply,
  type ControlRequest,
  type Credentials,
  controlLine,
} from '@docker-worker/service-kit/control';
import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type { Container } from 'dockerode';
import { type Engine, engineMessage } from './engine.ts';
import { ensureImage } from './ensure-image.ts';
import { type Owner, ownershipLabels } from './labels.ts';
import { removeContainer } from './remove-container.ts';

/** Lines of a sidecar's own log that an error about it quotes. */
const quotedLines = 20;
const memoryLimit = 512 * 1024 * 1024;

export interface SidecarOptions {
  sidecar: Sidecar;
  /** Already checked by the sidecar's schema. */
  config: unknown;
  network: string;
  owner: Owner;
  registry: string | undefined;
  readySeconds: number;
  /** Gets each line that the service logs. */
  onLog(line: string): void;
}

export interface RunningSidecar extends AsyncDisposable {
  name: string;
  /** Settles when the service has taken the new credentials over, rejects when it refused or is gone. */
  updateCredentials(credentials: Credentials): Promise<void>;
}

/**
 * Starts any service beside a task: on the run's network, under its alias, configured over its standard
 * input. It holds that input open for as long as this process lives, so the service ends with it.
 *
 * @throws SidecarFailure naming image and cause, with the last lines of the service's log
 */
export async function startSidecar(engine: Engine, options: SidecarOptions): Promise<RunningSidecar> {
  const { sidecar, owner, registry } = options;
  const image = sidecarImage(sidecar, registry);
  const failure = (reason: string) => new SidecarFailure(sidecar, image, reason, []);
  const imageId = await ensureImage(engine.docker, image).catch((error: Error) => {
    throw failure(error.message);
  });
  const container = await engine.docker
    .createContainer({
      Image: imageId,
      Cmd: ['--control', 'stdin'],
      Labels: ownershipLabels(owner, `sidecar:${sidecar.name}`),
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      // The `ready` line tells more, and sooner, than a probe from outside.
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: options.network,
        AutoRemove: true,
        CapDrop: ['ALL'],
        CapAdd: [...(sidecar.capabilities ?? [])],
        Devices: (sidecar.devices ?? []).map((path) => ({
          PathOnHost: path,
          PathInContainer: path,
          CgroupPermissions: 'rwm',
        })),
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': '' },
        SecurityOpt: ['no-new-privileges'],
        Memory: memoryLimit,
        PidsLimit: 256,
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
      },
      NetworkingConfig: { EndpointsConfig: { [options.network]: { Aliases: [sidecar.alias] } } },
    })
    .catch((error: unknown) => {
      throw failure(engineMessage(error));
    });
  const control = new SidecarControl(engine, options, image, container);
  try {
    await control.start();
    return control;
  } catch (error) {
    await control[Symbol.asyncDispose]();
    throw error;
  }
}

/** The image of a service, in the configured registry or on this host. */
export function sidecarImage({ image, version }: Sidecar, registry: string | undefined): string {
  return `${registry === undefined ? '' : `${registry.replace(/\/$/, '')}/`}${image}:${version}`;
}

/** One service's control channel; its requests are answered in order. */
class SidecarControl implements RunningSidecar {
  readonly #engine: Engine;
  readonly #options: SidecarOptions;
  readonly #image: string;
  readonly #container: Container;
  readonly #lastLines: string[] = [];
  #channel: Duplex | undefined;
  #replies: AsyncIterator<string> | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(engine: Engine, options: SidecarOptions, image: string, container: Container) {
    this.#engine = engine;
    this.#options = options;
    this.#image = image;
    this.#container = container;
  }

  get name(): string {
    return this.#options.sidecar.name;
  }

  async start(): Promise<void> {
    try {
      await this.#attach();
      await this.#container.start();
    } catch (error) {
      throw this.#failure(engineMessage(error));
    }
    await this.#request({ type: 'configure', config: this.#options.config }, 'ready');
  }

  updateCredentials(credentials: Credentials): Promise<void> {
    const answered = this.#turn.then(() => this.#request({ type: 'credentials', credentials }, 'applied'));
    this.#turn = answered.catch(() => {});
    return answered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel?.destroy();
    await removeContainer(this.#engine.docker, this.#container.id);
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
      stdout.end();
      stderr.end();
    });
    createInterface({ input: stderr }).on('line', (line) => {
      this.#lastLines.push(line);
      this.#lastLines.splice(0, this.#lastLines.length - quotedLines);
      this.#options.onLog(line);
    });
    this.#channel = channel as Duplex;
    this.#replies = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async #request(message: ControlRequest, expected: ControlReply['type']): Promise<void> {
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
    const { readySeconds } = this.#options;
    const answered = new AbortController();
    try {
      const line = await Promise.race([
        this.#replies?.next(),
        setTimeout(readySeconds * 1000, 'late' as const, { signal: answered.signal }),
        once(this.#engine.lost, 'abort', { signal: answered.signal }).then(() => undefined),
      ]);
      if (line === 'late') {
        throw this.#failure(`it did not answer within ${readySeconds} s`);
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
    return new SidecarFailure(this.#options.sidecar, this.#image, reason, this.#lastLines);
  }
}

export class SidecarFailure extends Error {
  constructor(sidecar: Sidecar, image: string, reason: string, lastLines: readonly string[]) {
    const log = lastLines.length === 0 ? '' : `\nIts last words:\n${lastLines.join('\n')}`;
    super(`The sidecar ${sidecar.name} (image ${image}) could not be used: ${reason}.${log}`);
    this.name = 'SidecarFailure';
  }
}
