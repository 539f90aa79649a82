import { relative } from 'node:path';
import type { Writable } from 'node:stream';
import type { SeenTask } from '@docker-worker/local-taskcluster';
import type { Client } from 'taskcluster-client';
import { z } from 'zod';
import { ownWords } from '../../queue/refusal-text.ts';
import type { Outcome } from '../../run/outcome.ts';
import { resolutionText } from '../../run/resolution.ts';
import type { Run } from '../../run/run.ts';
import type { AbortCause, RunAbort } from '../../run/run-abort.ts';
import { UserError } from '../../user-error.ts';
import { exitCode } from '../exit-code.ts';
import { ArtifactFolders } from './artifacts/artifact-folders.ts';
import { downloadArtifacts } from './artifacts/download-artifacts.ts';
import { listArtifacts } from './artifacts/list-artifacts.ts';
import { phaseSeconds } from './report/phase-seconds.ts';
import type { TaskResult } from './report/task-result.ts';
import { taskExitCode } from './task-exit-code.ts';
import { HeldOutput } from './terminal/held-output.ts';
import { linePrefix } from './terminal/line-prefix.ts';
import { printLog } from './terminal/print-log.ts';

const Status = z.looseObject({
  status: z.looseObject({
    state: z.string(),
    runs: z.array(z.looseObject({ scheduled: z.string() })),
  }),
});

/** A task as the queue gets it. */
export interface NewTask {
  name: string;
  taskId: string;
  definition: object;
}

/** How a task has ended for good. */
interface Ending extends Pick<TaskResult, 'result' | 'exitCode' | 'reason'> {
  seconds?: TaskResult['seconds'];
  /** Of the run that decided it, if there was one. */
  runId?: number;
}

const cancelled: Ending = { result: 'cancelled', exitCode: exitCode.cancelled };

interface SessionTask {
  name: string;
  taskId: string;
  scopes: string[];
  /** TaskIds of those that must complete before it. */
  needs: string[];
  /** Where its artifacts are to be kept, if they are. */
  artifacts: string | undefined;
  ending?: Ending;
  ended: PromiseWithResolvers<void>;
}

/**
 * The tasks of one `run-task`, and those that they create: followed to their resolution, summed up in one exit code. What a task that
 * did not complete keeps from running is skipped.
 */
export class Session {
  readonly #queue: Client;
  readonly #folders: ArtifactFolders | undefined;
  readonly #output: HeldOutput;
  readonly #tasks = new Map<string, SessionTask>();
  readonly #printing: Promise<void>[] = [];
  readonly #open = new Set<Run>();
  #interruptedWith: number | undefined;
  readonly #interrupted = Promise.withResolvers<void>();

  /** @param output gets the logs; the tasks are cancelled when nobody reads them any more */
  constructor(queue: Client, artifacts: string | undefined, output: Writable) {
    this.#queue = queue;
    this.#folders = artifacts === undefined ? undefined : new ArtifactFolders(artifacts);
    this.#output = new HeldOutput(output, () => this.#interrupt(exitCode.outputLost));
  }

  get output(): HeldOutput {
    return this.#output;
  }

  /** @param tasks in an order in which each comes after what it needs */
  async create(tasks: NewTask[]): Promise<void> {
    for (const { name, taskId, definition } of tasks) {
      this.#add(taskId, name, definition, this.#folders?.of(name, tasks.length > 1));
    }
    for (const { name, taskId, definition } of tasks) {
      // One that is skipped already need not be there.
      if (this.#tasks.get(taskId)?.ending === undefined) {
        await this.#queue.createTask(taskId, definition).catch((error: Error) => {
          throw new UserError(`${name}: ${ownWords(error.message)}`);
        });
      }
    }
  }

  /** What the queue tells of tasks, of which some are created by others, and some end without a run. */
  seen({ taskId, state, reason, task }: SeenTask): void {
    const known = this.#tasks.get(taskId);
    if (known === undefined) {
      const { name } = task.metadata;
      this.#add(taskId, name, task, this.#folders?.of(name, true));
      process.stderr.write(`${name}: created by a task; it runs here, too\n`);
    } else if (state === 'exception' && known.ending === undefined && !this.#isRunning(taskId)) {
      process.stderr.write(`${known.name}: cancelled, or its deadline has passed\n`);
      this.#end(known, cancelled);
    } else if (reason === 'canceled') {
      // The worker would hear of it at its next reclaim only, which may be minutes away.
      this.#abort((run) => run.taskId === taskId);
    }
  }

  /** Settles when the person wants this to end. */
  get interrupted(): Promise<void> {
    return this.#interrupted.promise;
  }

  get size(): number {
    return this.#tasks.size;
  }

  nameOf(taskId: string): string {
    return this.#tasks.get(taskId)?.name ?? taskId;
  }

  scopesOf(taskId: string): string[] {
    return this.#tasks.get(taskId)?.scopes ?? [];
  }

  /** Prints a run's log while it grows. */
  follow(run: Run): void {
    this.#open.add(run);
    const index = [...this.#tasks.keys()].indexOf(run.taskId);
    const prefix = this.#tasks.size > 1 ? linePrefix(this.nameOf(run.taskId), index, process.stdout) : '';
    this.#printing.push(printLog(run.log, this.#output, prefix));
    if (this.#interruptedWith !== undefined) {
      run.abort({ kind: 'canceled' });
    }
  }

  /** A run has ended; the task has too, unless the queue made another run of it. */
  resolved({ taskId, runId }: { taskId: string; runId: number }, outcome: Outcome): void {
    const run = [...this.#open].find((one) => one.taskId === taskId && one.runId === runId);
    const task = this.#tasks.get(taskId);
    if (task !== undefined) {
      this.#conclude(task, runId, outcome, run).then(
        (ending) => {
          this.#open.delete(run as Run);
          if (ending !== undefined) {
            this.#end(task, ending);
          }
        },
        (error) => task.ended.reject(error),
      );
    }
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
      if (!this.#unended().next().done) {
        process.stderr.write(`${signal}: cancelling; once more ends this at once\n`);
      }
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

  /** Waits for all tasks, also those that are created meanwhile; the first that did not succeed gives the exit code. */
  async exitCode(): Promise<number> {
    for (const { ended } of this.#unended()) {
      await ended.promise;
    }
    await Promise.all(this.#printing);
    const codes = [...this.#tasks.values()].map(({ ending }) => ending?.exitCode ?? 0);
    return this.#interruptedWith ?? codes.find((code) => code !== 0) ?? 0;
  }

  /** What became of the tasks, once they have ended. */
  async results(): Promise<TaskResult[]> {
    return await Promise.all(
      [...this.#tasks.values()].map(async ({ name, taskId, ending = cancelled }) => {
        const { result, exitCode: code, reason, seconds = {}, runId } = ending;
        const artifacts = runId === undefined ? [] : await listArtifacts(this.#queue, taskId, runId);
        return {
          ...{ name, taskId, result, exitCode: code, seconds, artifacts: artifacts.map((one) => one.name) },
          ...(reason === undefined ? {} : { reason }),
        };
      }),
    );
  }

  /** Also those that come while they are looked at, as a map's values do. */
  *#unended(): Generator<SessionTask> {
    for (const task of this.#tasks.values()) {
      if (task.ending === undefined) {
        yield task;
      }
    }
  }

  #add(taskId: string, name: string, definition: object, artifacts: string | undefined): void {
    const { scopes = [], dependencies = [], requires } = definition as Partial<SeenTask['task']>;
    const ended = Promise.withResolvers<void>();
    // Whoever waits may come later than the reason to reject.
    ended.promise.catch(() => {});
    const needs = requires === 'all-resolved' ? [] : dependencies;
    this.#tasks.set(taskId, { name, taskId, scopes, needs, artifacts, ended });
  }

  #isRunning(taskId: string): boolean {
    return [...this.#open].some((run) => run.taskId === taskId);
  }

  #end(task: SessionTask, ending: Ending): void {
    if (task.ending !== undefined) {
      return;
    }
    task.ending = ending;
    if (ending.exitCode !== 0) {
      this.#skipThoseThatNeed(task);
    }
    task.ended.resolve();
  }

  #skipThoseThatNeed({ taskId, name }: SessionTask): void {
    for (const task of this.#unended()) {
      if (!task.needs.includes(taskId)) {
        continue;
      }
      const reason = `${name} did not complete`;
      if (this.#interruptedWith === undefined) {
        process.stderr.write(`${task.name}: skipped, since ${reason}\n`);
      }
      this.#end(task, { result: 'skipped', exitCode: undefined, reason });
      // So that nothing waits for it; it may not have been created yet.
      this.#queue.cancelTask(task.taskId).catch(() => {});
    }
  }

  #interrupt(code: number): void {
    this.#interruptedWith ??= code;
    this.#interrupted.resolve();
    this.#cancel().catch((error: Error) => process.stderr.write(`${error.message}\n`));
  }

  async #cancel(): Promise<void> {
    const tasks = [...this.#unended()];
    await Promise.allSettled(tasks.map(({ taskId }) => this.#queue.cancelTask(taskId)));
    this.#abort();
    for (const task of tasks) {
      if (!this.#isRunning(task.taskId)) {
        this.#end(task, cancelled);
      }
    }
  }

  #abort(which: (run: Run) => boolean = () => true): void {
    for (const run of [...this.#open].filter(which)) {
      run.abort({ kind: 'canceled' });
    }
  }

  async #conclude(
    task: SessionTask,
    runId: number,
    outcome: Outcome,
    run: Run | undefined,
  ): Promise<Ending | undefined> {
    const { status } = Status.parse(await this.#queue.status(task.taskId));
    if (status.state === 'pending' || status.state === 'running') {
      return undefined;
    }
    const scheduled = new Date(status.runs[runId]?.scheduled ?? Date.now());
    const seconds = run === undefined ? {} : phaseSeconds(run, scheduled);
    await this.#download(task, runId);
    const { abortCause } = (run?.signal.reason ?? {}) as Partial<RunAbort>;
    const result = endingText(outcome, abortCause);
    process.stderr.write(`${task.name}: ${result}\n`);
    const isTaken = status.state === 'exception' && outcome.resolution.kind !== 'exception';
    return { result, exitCode: taskExitCode(outcome, abortCause, isTaken), seconds, runId };
  }

  /** What cannot be saved is told, and changes nothing about the task. */
  async #download({ name, taskId, artifacts }: SessionTask, runId: number): Promise<void> {
    if (artifacts === undefined) {
      return;
    }
    try {
      for (const file of await downloadArtifacts(this.#queue, taskId, runId, artifacts)) {
        process.stderr.write(`artifact: ${relative('', file)}\n`);
      }
    } catch (error) {
      process.stderr.write(`${name}: ${(error as Error).message}\n`);
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
