import { busybox } from '../../../features/interactive/task-folder.ts';
import type { OpenShell } from '../../../run/open-shell.ts';
import { UserError } from '../../../user-error.ts';
import { exitCode } from '../../exit-code.ts';
import type { TaskDocument } from '../../task-file/task-document.ts';
import type { HeldOutput } from './held-output.ts';
import { terminalShell } from './terminal-shell.ts';

/** How whoever runs the tasks gets into them. */
export interface LogInOptions {
  /** Opens a shell in this terminal. */
  shell?: boolean;
  /** As `shell`, in place of the task's command. */
  taskShell?: boolean;
  /** Prints the address of the page. */
  interactive?: boolean;
}

/** Seconds that a person may look around in a task. */
const longestVisit = 12 * 60 * 60;

/** The documents with what the command line asks for: their tasks must let people in. */
export function letIn(
  documents: TaskDocument[],
  { shell, taskShell, interactive }: LogInOptions,
): TaskDocument[] {
  const option = taskShell ? '--task-shell' : '--shell';
  if ((shell || taskShell) && documents.length > 1) {
    throw new UserError(`${option} is for one task; this file has ${documents.length}: use --interactive`);
  }
  if ((shell || taskShell) && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new UserError(`${option} needs a terminal: run it in one, or use --interactive for a page`);
  }
  const entered = taskShell ? documents.map(withoutCommand) : documents;
  return shell || taskShell || interactive ? entered.map(asInteractive) : entered;
}

/** A container outlives its command for people; this one has none worth mentioning. */
function withoutCommand(document: TaskDocument): TaskDocument {
  const payload = document.payload as { command?: string[]; maxRunTime: number };
  process.stderr.write(
    `${document.name}: its command is yours to run: ${JSON.stringify(payload.command ?? "the image's")}\n`,
  );
  const maxRunTime = Math.max(payload.maxRunTime, longestVisit);
  return { ...document, payload: { ...payload, command: [busybox, 'true'], maxRunTime } };
}

function asInteractive(document: TaskDocument): TaskDocument {
  const payload = document.payload as { features?: object };
  return { ...document, payload: { ...payload, features: { ...payload.features, interactive: true } } };
}

/** Lets whoever runs the tasks into them, as their containers come up. */
export class LogIn {
  readonly #options: LogInOptions;
  readonly #log: HeldOutput;
  #shell: Promise<number> | undefined;

  /** @param log what the tasks' logs are printed to; a shell has the terminal for itself */
  constructor(options: LogInOptions, log: HeldOutput) {
    this.#options = options;
    this.#log = log;
  }

  /** People can log into a task. */
  opened(name: string, shell: OpenShell): void {
    if (this.#options.interactive) {
      process.stderr.write(`${name}: log in at ${shell.page}\n`);
    }
    if (this.#options.shell || this.#options.taskShell) {
      // A run after this one, as after an intermittent failure, has its log printed and nothing else.
      this.#shell ??= this.#open(shell);
    }
  }

  /** The exit code of the shell, if one was opened. */
  exitCode(): Promise<number> | undefined {
    return this.#shell;
  }

  async #open(shell: OpenShell): Promise<number> {
    using _held = this.#log.hold();
    try {
      return await terminalShell(shell.socket, {
        ...{ input: process.stdin, output: process.stdout },
        // Nobody else is expected.
        onReady: () => shell.leave(),
      });
    } catch (error) {
      process.stderr.write(`shell: ${(error as Error).message}\n`);
      return exitCode.failure;
    } finally {
      shell.leave();
    }
  }
}
