import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

interface KeeperOptions {
  onLine(line: string): void;
  onEnd(code: number): void;
  /** Whether an order that is given while the command runs is the command's to read; it has no input otherwise. */
  sharesInput?: boolean;
}

/**
 * A shell that runs one command, with this process's present privileges, each time it is told to. It is
 * what can start the tunnel's process again after this process has given its own privileges up: the only
 * other thing it can do is to end, when this process does.
 */
export class Keeper {
  readonly #shell: ChildProcess;

  constructor(command: readonly string[], { onLine, onEnd, sharesInput = false }: KeeperOptions) {
    const input = sharesInput ? '' : '< /dev/null';
    const script = `while read -r _; do "$@" ${input} 2>&1; echo "@ended $?"; done`;
    this.#shell = spawn('/bin/sh', ['-c', script, 'keeper', ...command], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#shell.on('error', () => onEnd(127));
    this.#shell.stdin?.on('error', () => {});
    if (!this.#shell.stdout) return;
    createInterface({ input: this.#shell.stdout }).on('line', (line) => {
      const code = /^@ended (\d+)$/.exec(line)?.[1];
      if (code === undefined) onLine(line);
      else onEnd(Number(code));
    });
  }

  /** Runs the command once; the order of a run while another one lasts is carried out after it. */
  run(): void {
    this.#shell.stdin?.write('\n');
  }

  close(): void {
    this.#shell.stdin?.end();
  }
}
