import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';

export const main = join(import.meta.dirname, '../../../worker/dist/main.js');

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Default: nothing. */
  stdin?: 'open' | (string & {});
  /** Runs this file instead of the bundle. */
  program?: string;
  /** Runs it in a terminal of this size, whose output is `stdout`; {@link Command.say} types into it. */
  terminal?: { rows: number; columns: number };
}

const running = new Set<ChildProcess>();

/** For a program that is not a test: one that is interrupted leaves no command behind. */
export function endCommandsWithThis(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      for (const child of running) child.kill('SIGTERM');
      process.exit(1);
    });
  }
}

/** A `docker-worker` command under test. Disposing tells it to end and waits until it has cleaned up. */
export class Command implements AsyncDisposable {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #output = new EventEmitter();
  readonly #exit: Promise<number | null>;

  /** Standard input is `stdin` to its end, or stays open for {@link say}. */
  constructor(args: string[], options: CommandOptions = {}) {
    const command = [...(options.program ? [options.program] : [process.execPath, main]), ...args];
    const [program = '', ...rest] = options.terminal ? inTerminal(command, options.terminal) : command;
    this.process = spawn(program, rest, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
    });
    if (options.stdin !== 'open' && options.terminal === undefined) {
      this.process.stdin?.end(options.stdin ?? '');
    }
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#output.emit('text');
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#output.emit('text');
    });
    running.add(this.process);
    this.#exit = once(this.process, 'close').then(([code]) => {
      running.delete(this.process);
      return code as number | null;
    });
    void this.#exit.then(() => this.#output.emit('text'));
  }

  /** The exit code; null after a signal that the process did not handle. */
  get exited(): Promise<number | null> {
    return this.#exit;
  }

  /** Waits until standard output and error together match. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) {
        return match;
      }
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`ended without printing ${pattern}:\n${this.stdout}\n${this.stderr}`);
      }
      await once(this.#output, 'text');
    }
  }

  say(text: string): void {
    this.process.stdin?.write(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.stdin?.end();
    this.process.kill('SIGTERM');
    await this.#exit;
  }
}

function inTerminal(command: string[], { rows, columns }: { rows: number; columns: number }): string[] {
  const quoted = command.map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  return ['script', '-qefc', `stty rows ${rows} cols ${columns}; exec ${quoted}`, '/dev/null'];
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a `docker-worker` command to its end. */
export async function dockerWorker(...args: string[]): Promise<Finished> {
  await using command = new Command(args);
  const code = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}
