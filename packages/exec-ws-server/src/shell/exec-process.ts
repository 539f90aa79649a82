import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { countStreamed } from '@docker-worker/service-kit';
import { readInBulk } from '@docker-worker/service-kit/bulk-reader';
import type Docker from 'dockerode';
import { Demultiplexer, type Output } from './demultiplexer.ts';
import { Holds } from './holds.ts';

export interface ProcessRequest {
  command: readonly string[];
  tty: boolean;
  /** Default: true. */
  stdin?: boolean;
  /** `NAME=value`, beside the container's own. */
  env?: readonly string[];
}

export interface TerminalSize {
  rows: number;
  columns: number;
}

/** Ctrl+D */
const endOfTransmission = Buffer.from([4]);

/** How long the engine may take to know the exit code after the output has ended. */
const exitCodeMs = 5_000;
const firstLookMs = 5;
/** How long the engine may take to start a process whose output it has begun to send. */
const longestStartMs = 500;

/**
 * A process that the engine runs in the container. Emits `output` and, when a full standard input has
 * drained, `drain`. Its output is read while nobody holds it, so that nothing piles up here for a slow reader;
 * at first `start` does. What is emitted is overwritten by what is read next: who keeps it makes a copy.
 */
export class ExecProcess extends EventEmitter<{ output: [Output, Buffer]; drain: [] }> {
  /** The exit code once all output was emitted; 137 when the container was killed. */
  readonly exited: Promise<number>;
  /** Who does not want output now. */
  readonly holds: Holds;
  readonly #exec: Docker.Exec;
  readonly #socket: Duplex;
  readonly #tty: boolean;
  #wantedSize: TerminalSize | undefined;
  #sizing: Promise<void> | undefined;

  /** @throws the engine's answer, as when the container does not run */
  static async start(
    docker: Docker,
    container: string,
    { command, tty, stdin = true, env = [] }: ProcessRequest,
  ): Promise<ExecProcess> {
    const exec = await docker.getContainer(container).exec({
      AttachStdin: stdin,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty,
      Cmd: [...command],
      Env: [...env],
    });
    // Tty in both calls: engines differ in which of them decides about the form of the stream.
    const socket = (await exec.start({ hijack: true, stdin: true, Tty: tty })) as unknown as Duplex;
    return new ExecProcess(exec, socket, tty);
  }

  private constructor(exec: Docker.Exec, socket: Duplex, tty: boolean) {
    super();
    this.#exec = exec;
    this.#tty = tty;
    const demultiplexer = new Demultiplexer();
    const emit = (output: Output, data: Buffer) => this.emit('output', output, data);
    this.#socket = readInBulk(socket, (bytes) => {
      countStreamed(bytes.length);
      if (tty) {
        emit('stdout', bytes);
      } else {
        demultiplexer.push(bytes, emit);
      }
      return !this.holds.isHeld;
    });
    this.holds = new Holds(this.#socket, 'start');
    const ended = Promise.withResolvers<void>();
    this.#socket.on('drain', () => this.emit('drain'));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => ended.resolve());
    this.exited = ended.promise.then(() => this.#exitCode());
    this.exited.catch(() => {});
  }

  /** False when the process does not keep up; `drain` follows. */
  write(data: Buffer): boolean {
    return !this.#socket.writable || this.#socket.write(data);
  }

  /** Bytes that the process has not taken yet. */
  get backlog(): number {
    return this.#socket.writableLength;
  }

  /** The process reads the end of its input; its output goes on. */
  end(): void {
    if (this.#tty) {
      // The engine would drop the output together with the input; a terminal has its own sign for the end.
      this.write(endOfTransmission);
    } else {
      this.#socket.end();
    }
  }

  /**
   * Sizes the terminal before the process reads what is written after this. Settles when it is done; a size
   * that comes when the process has just ended changes nothing.
   */
  resize(size: TerminalSize): Promise<void> {
    if (this.#tty && size.rows > 0 && size.columns > 0) {
      this.#wantedSize = size;
      this.#sizing ??= this.#applySizes();
    }
    return this.#sizing ?? Promise.resolve();
  }

  /** Drops the connection; the process itself goes on. */
  detach(): void {
    this.#socket.destroy();
  }

  async #applySizes(): Promise<void> {
    this.#socket.cork();
    for (let size = this.#wantedSize; size !== undefined; size = this.#wantedSize) {
      this.#wantedSize = undefined;
      await this.#applySize(size);
    }
    this.#sizing = undefined;
    this.#socket.uncork();
  }

  /** The engine takes no size before the process runs, and tells nobody when it does. */
  async #applySize({ rows, columns }: TerminalSize): Promise<void> {
    for (let pause = firstLookMs; pause < longestStartMs && !this.#socket.destroyed; pause *= 2) {
      try {
        await this.#exec.resize({ h: rows, w: columns });
        return;
      } catch {
        await setTimeout(pause);
      }
    }
  }

  /** The engine knows it a moment after the output has ended and has no event for that. */
  async #exitCode(): Promise<number> {
    const deadline = Date.now() + exitCodeMs;
    for (let pause = firstLookMs; ; pause *= 1.5) {
      const abortSignal = AbortSignal.timeout(Math.max(1, deadline - Date.now()));
      const { Running: isRunning, ExitCode: exitCode } = await this.#exec
        .inspect({ abortSignal })
        .catch((error) => {
          throw abortSignal.aborted ? new Error('the engine does not tell how the process has ended') : error;
        });
      if (!isRunning && exitCode !== null) {
        return exitCode;
      }
      if (Date.now() + pause > deadline) {
        throw new Error('the process has closed its output but has not ended');
      }
      await setTimeout(pause);
    }
  }
}

/** Why the engine did not do something, in its own words; a container that is gone, or the way to it, has gone with the task. */
export function engineMessage(error: unknown): string {
  const { code, statusCode, json, message } = error as EngineError;
  const words = (json?.message ?? message ?? String(error)).trim();
  return statusCode === 404 || code === 'ENOENT' || code === 'ECONNREFUSED'
    ? `the task is over (${words})`
    : words;
}

interface EngineError extends Partial<NodeJS.ErrnoException> {
  statusCode?: number;
  json?: { message?: string };
}
