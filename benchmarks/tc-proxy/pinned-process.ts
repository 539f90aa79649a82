import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpuSecondsOf, memoryOf } from '../process-figures.ts';

/** A server as a process of its own, bound to one core. */
export class PinnedProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Resolves when the port accepts connections. */
  static async start(
    core: number,
    argv: readonly string[],
    port: number,
    env: NodeJS.ProcessEnv = {},
  ): Promise<PinnedProcess> {
    // `taskset` becomes the program that it starts, so the process id stays.
    const child = spawn('taskset', ['-c', String(core), ...argv], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, ...env },
    });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2_000);
    });
    while (!(await accepts(port))) {
      if (child.exitCode !== null) throw new Error(`${argv.join(' ')} has ended: ${said}`);
    }
    return new PinnedProcess(child, port);
  }

  /** Seconds of CPU time so far. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.#pid);
  }

  /** MiB in memory; `VmHWM` counts since `forgetPeak`. */
  memory(which: 'VmRSS' | 'VmHWM'): number {
    return memoryOf(this.#pid, which);
  }

  /** `VmHWM` begins anew with what is in memory now. */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, '5');
  }

  get #pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => {});
    socket.once('close', (hadError) => resolve(!hadError));
  });
}
