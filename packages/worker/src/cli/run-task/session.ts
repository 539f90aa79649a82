import { relative } from 'node:path';
import type { Writable } from 'node:stream';
import taskcluster, { type Client } from 'taskcluster-client';
import { z } from 'zod';
import type { Outcome } from '../../run/outcome.ts';
import { resolutionText } from '../../run/resolution.ts';
import type { Run } from '../../run/run.ts';
import type { AbortCause, RunAbort } from '../../run/run-abort.ts';
import { UserError } from '../../user-error.ts';
import { exitCode } from '../exit-code.ts';
import { artifactFolders } from './artifacts/artifact-folders.ts';
import { downloadArtifacts } from './artifacts/download-artifacts.ts';
import { HeldOutput } from './held-output.ts';
import { printLog } from './print-log.ts';
import { taskExitCode } from './task-exit-code.ts';

const Status = z.looseObject({ status: z.looseObject({ state: z.string() }) });

interface SessionTask {
  name: string;
  /** Where its artifacts are to be kept, if they are. */
  artifacts: string | undefined;
  /** The exit code that the task stands for, once it is resolved for good. */
  ended: PromiseWithResolvers<number>;
}

/** The tasks of one `run-task`: created, followed to their resolution, summed up in one exit code. */
export class Session {
  readonly #queue: Client;
  readonly #artifacts: string | undefined;
  readonly #output: HeldOutput;
  readonly #tasks = new Map<string, SessionTask>();
  readonly #printing: Promise<void>[] = [];
  readonly #open = new Set<Run>();
  #interruptedWith: number | undefined;

  /** @param output gets the logs; the tasks are cancelled when nobody reads them any more */
  constructor(queue: Client, artifacts: string | undefined, output: Writable) {
    this.#queue = queue;
    this.#artifacts = artifacts;
    this.#output = new HeldOutput(output, () => this.#interrupt(exitCode.outputLost));
  }

  get output(): HeldOutput {
    return this.#output;
  }

  async create(tasks: { name: string; definition: object }[]): Promise<void> {
    const names = tasks.map(({ name }) => name);
    const folders = this.#artifacts === undefined ? [] : artifactFolders(this.#artifacts, names);
    for (const [index, name] of names.entries()) {
      const ended = Promise.withResolvers<number>();
      this.#tasks.set(taskcluster.slugid(), { name, artifacts: folders[index], ended });
    }
    await Promise.all(
      [...this.#tasks.keys()].map((taskId, index) =>
        this.#queue.createTask(taskId, tasks[index]?.definition).catch((error: Error) => {
          // What follows the rule is about the HTTP request, which nobody here has made.
          throw new UserError(`${tasks[index]?.name}: ${error.message.split('\n---')[0]?.trim()}`);
        }),
      ),
    );
  }

  nameOf(taskId: string): string {
    return this.#tasks.get(taskId)?.name ?? taskId;
  }

  /** Prints a run's log while it grows. */
  follow(run: Run): void {
    this.#open.add(run);
    const name = this.#tasks.get(run.taskId)?.name;
    this.#printing.push(printLog(run.log, this.#output, this.#tasks.size > 1 ? `[${name}] ` : ''));
    if (this.#interruptedWith !== undefined) {
      run.abort({ kind: 'canceled' });
    }
  }

  /** A run has ended; the task has too, unless the queue made another run of it. */
  resolved({ taskId, runId }: { taskId: string; runId: number }, outcome: Outcome): void {
    const task = this.#tasks.get(taskId);
    this.#conclude(taskId, runId, outcome).then(
      (code) => code !== undefined && task?.ended.resolve(code),
      (error) => task?.ended.reject(error),
    );
  }

  /**
   * Cancels the tasks at the first signal; the second one ends this process at once, and what it leaves
   * behind is removed by the next run.
   */
  handleSignals(): Disposable {
    const onSignal = (signal: NodeJS.Signals) => {
      const code = signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated;
      if (this.#interruptedWith !== undefined) {
        process.exit(code);
      }
      process.stderr.write(`${signal}: cancelling; once more ends this at once\n`);
      this.#interrupt(code);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) {
      process.on(signal, onSignal);
    }
    return {
      [Symbol.dispose]() {
        for (const signal of signals) {
          process.off(signal, onSignal);
        }
      },
    };
  }

  /** Waits for all tasks; the first that did not succeed gives the exit code. */
  async exitCode(): Promise<number> {
    const codes = await Promise.all([...this.#tasks.values()].map(({ ended }) => ended.promise));
    await Promise.all(this.#printing);
    return this.#interruptedWith ?? codes.find((code) => code !== 0) ?? 0;
  }

  #interrupt(code: number): void {
    this.#interruptedWith ??= code;
    this.#cancel().catch((error: Error) => process.stderr.write(`${error.message}\n`));
  }

  async #cancel(): Promise<void> {
    await Promise.all([...this.#tasks.keys()].map((taskId) => this.#queue.cancelTask(taskId)));
    // The queue tells a worker only at the next reclaim, which may be minutes away.
    for (const run of this.#open) {
      run.abort({ kind: 'canceled' });
    }
    for (const [taskId, { ended }] of this.#tasks) {
      if (![...this.#open].some((run) => run.taskId === taskId)) {
        ended.resolve(exitCode.cancelled);
      }
    }
  }

  async #conclude(taskId: string, runId: number, outcome: Outcome): Promise<number | undefined> {
    const { status } = Status.parse(await this.#queue.status(taskId));
    if (status.state === 'pending' || status.state === 'running') {
      return undefined;
    }
    await this.#download(taskId, runId);
    const run = [...this.#open].find((one) => one.taskId === taskId && one.runId === runId);
    const { abortCause } = (run?.signal.reason ?? {}) as Partial<RunAbort>;
    process.stderr.write(`${this.nameOf(taskId)}: ${endingText(outcome, abortCause)}\n`);
    const isTaken = status.state === 'exception' && outcome.resolution.kind !== 'exception';
    return taskExitCode(outcome, abortCause, isTaken);
  }

  /** What cannot be saved is told, and changes nothing about the task. */
  async #download(taskId: string, runId: number): Promise<void> {
    const folder = this.#tasks.get(taskId)?.artifacts;
    if (folder === undefined) {
      return;
    }
    try {
      for (const file of await downloadArtifacts(this.#queue, taskId, runId, folder)) {
        process.stderr.write(`artifact: ${relative('', file)}\n`);
      }
    } catch (error) {
      process.stderr.write(`${this.nameOf(taskId)}: ${(error as Error).message}\n`);
    }
  }
}

/** How a task has ended, also one that this worker had not to resolve. */
function endingText({ resolution }: Outcome, abort: AbortCause | undefined): string {
  if (resolution.kind !== 'none') {
    return resolutionText(resolution);
  }
  return abort?.kind === 'claim-lapsed' ? 'its claim has lapsed' : 'cancelled, or its deadline has passed';
}
