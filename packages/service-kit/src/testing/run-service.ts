import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type ControlReply, type ControlRequest, controlLine } from '../control/control.ts';

export interface ServiceProcess extends AsyncDisposable {
  /** Sends a control message, or a line as it is. */
  send(message: ControlRequest | string): void;
  /** The next line on standard output, parsed; fails when the process ends first. */
  reply(): Promise<ControlReply>;
  /** Ends standard input, as the death of the worker does. */
  endInput(): void;
  signal(name: NodeJS.Signals): void;
  /** Exit code, or the signal's name. */
  exited: Promise<number | string>;
  /** What came so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when standard error contains the text. */
  stderrHas(text: string): Promise<void>;
}

/** Runs a service's main file as its own process, with an environment that holds only what is given. */
export function runService(main: string, argv: string[], env: Record<string, string> = {}): ServiceProcess {
  const child = spawn(process.execPath, ['--no-warnings', main, ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  let stdout = '';
  let stderr = '';
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  createInterface(child.stdout).on('line', (line) => {
    const waiter = waiting.shift();
    if (waiter) waiter(line);
    else lines.push(line);
  });
  // A process that has ended takes no more input; the test sees that by its exit.
  child.stdin.on('error', () => {});
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);

  return {
    send: (message) => child.stdin.write(typeof message === 'string' ? message : controlLine(message)),
    async reply() {
      const line =
        lines.shift() ??
        (await Promise.race([
          new Promise<string>((resolve) => waiting.push(resolve)),
          exited.then((code) => Promise.reject(new Error(`exited with ${code} without a reply: ${stderr}`))),
        ]));
      return JSON.parse(line) as ControlReply;
    },
    endInput: () => child.stdin.end(),
    signal: (name) => child.kill(name),
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    async stderrHas(text) {
      while (!stderr.includes(text)) {
        await Promise.race([
          once(child.stderr, 'data'),
          exited.then((code) => Promise.reject(new Error(`exited with ${code}: ${stderr}`))),
        ]);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
