import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { all } from './async/all.ts';
import { unlessAborted } from './async/unless-aborted.ts';
import { type WorkerConfig, workerNameOf } from './config/config.ts';
import { type Swept, sweep } from './containers/sweep.ts';
import { DiskRoom } from './disk-room.ts';
import type { Engine } from './engine/engine.ts';
import { FaultPause } from './fault-pause.ts';
import { featuresOf, slotsOf } from './features/index.ts';
import { guardMetadata } from './firewall/guard-metadata.ts';
import { IdleTimer } from './idle-timer.ts';
import { imagesOfHost } from './images/images-of-host.ts';
import { configuredWarmUnits } from './lifecycle/making-run-units.ts';
import { networkRoom } from './lifecycle/network-room.ts';
import { performRun } from './lifecycle/perform-run.ts';
import { openLogServer } from './log/open-log-server.ts';
import type { WorkerCommands } from './providers/provider.ts';
import { claimWork } from './queue/claim-work.ts';
import type { Claim } from './queue/queue.ts';
import { inRun } from './run/current-run.ts';
import { type HostPart, HostParts } from './run/host-part.ts';
import type { KeptThing } from './run/kept-thing.ts';
import type { Outcome } from './run/outcome.ts';
import { resolutionText } from './run/resolution.ts';
import type { Run, RunHost } from './run/run.ts';
import { type AbortCause, RunAbort } from './run/run-abort.ts';
import { sweepRunFolders } from './run/run-folder.ts';
import { Suspects } from './run/suspects.ts';
import { type RunPlace, RunSlots } from './run-slots.ts';
import { sweepSharedFolders } from './sidecars/shared-folder.ts';
import type { WarmUnits } from './sidecars/warm-units.ts';
import { version } from './version.ts';

const never = new AbortController().signal;

/** At most one call a second to a queue that fails. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Nothing tells when a disk has room again, a phone is free or an engine answers. */
const resourcePauseMs = 5_000;

export interface WorkerOptions
  extends Pick<RunHost, 'access' | 'metrics' | 'onPull' | 'onStep' | 'onShell' | 'onExited'> {
  /** Its credentials may be replaced while the worker runs. */
  config: WorkerConfig;
  logger: Logger;
  /** Stays the caller's. */
  engine: Engine;
  /**
   * Whether a claim under way is cut when the worker is to end, for a queue that hears of it whatever is between. Else
   * its answer is awaited, 20 s at most: what it brings is run, or given back.
   */
  hangsUp?: boolean;
  /** Default: as the configuration wants them. */
  warmUnits?: WarmUnits;
  /** The sweep of what an earlier worker of this name left, if that has been begun. */
  sweeping?: Promise<Swept>;
  /** Called when a run's log exists, before anything else is done for it. */
  onRun?(run: Run): void;
  /** Called when there is no task, at the start and whenever the last one has ended. */
  onIdle?(): void;
  /** Called when a run is resolved and everything made for it is gone. */
  onResolved?(run: { taskId: string; runId: number }, outcome: Outcome): void;
}

/** A worker that claims tasks from a queue and runs them, `capacity` at a time. */
export interface Worker extends AsyncDisposable, WorkerCommands {
  /** Settles when the worker has ended, for whatever reason; rejects when the Docker Engine is lost. */
  ended: Promise<void>;
  /** The runs that are under way. */
  readonly runs: Iterable<Run>;
  /** What is kept on the host for later tasks. */
  kept(): Promise<KeptThing[]>;
  /** False once no more tasks are claimed. */
  readonly claiming: boolean;
}

/** Sweeps what an earlier worker of this name left, then claims until it is told to stop. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config, logger, engine } = options;
  const workerName = workerNameOf(config);
  await using starting = new AsyncDisposableStack();
  const [logServer, swept] = await all([
    openLogServer(config, logger).then((server) => starting.use(server)),
    options.sweeping ?? sweep(engine.docker, workerName),
  ]);
  if (swept.containers + swept.networks + swept.images > 0) {
    logger.warn(swept, 'removed what a killed worker left behind');
  }
  // Removed after the last container.
  starting.use(await guardMetadata({ docker: engine.docker, lost: engine.lost, config, workerName, logger }));
  await sweepSharedFolders(config.stateDirectory);
  const warmUnits = options.warmUnits ?? starting.use(configuredWarmUnits({ ...options, workerName }));
  warmUnits.refill();
  logger.info({ rootUrl: config.rootUrl, worker: workerName, version }, 'start');
  const parts = starting.use(new HostParts({ ...options, workerName }, partsOf(config)));
  const left = await Promise.all([
    sweepRunFolders(workerName).then(({ removed }) => removed),
    ...[...parts].map((part) => part.sweep?.() ?? 0),
  ]);
  await new Suspects(config.stateDirectory).sweep();
  const things = left.reduce((sum, count) => sum + count, 0);
  if (things > 0) {
    logger.warn({ things }, 'removing what a killed worker left behind');
  }
  const aborting = new AbortController();
  const host: RunHost = {
    ...options,
    ...{ version, workerName, logServer, warmUnits, parts },
    stopping: aborting.signal,
  };
  return new ClaimingWorker(options, host, aborting, starting.move());
}

/** In the order in which they are asked for room on the disk. */
function partsOf(config: WorkerConfig): HostPart[] {
  return [imagesOfHost, ...featuresOf(config).flatMap(({ host }) => host ?? [])];
}

class ClaimingWorker implements Worker {
  readonly ended: Promise<void>;
  readonly #options: WorkerOptions;
  readonly #host: RunHost;
  readonly #slots = new RunSlots();
  /** Claimed runs, each until everything made for it is gone. */
  readonly #undisposed = new Set<Promise<void>>();
  readonly #openRuns = new Set<Run>();
  /** Aborted when nothing more is to be claimed. */
  readonly #stopping = new AbortController();
  /** Aborted when running tasks are to end as well, those included whose claim is still on its way. */
  readonly #aborting: AbortController;
  /** The capacity that devices leave, when they are fewer than slots. */
  #adjustedTo: number | undefined;
  #pauseMs = firstPauseMs;
  readonly #disk: DiskRoom;
  readonly #idleTimer: IdleTimer;
  readonly #faultPause: FaultPause;

  constructor(
    options: WorkerOptions,
    host: RunHost,
    aborting: AbortController,
    resources: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#host = host;
    this.#aborting = aborting;
    this.#disk = new DiskRoom(host);
    this.#faultPause = new FaultPause(host.logger);
    const { enabled, afterIdleSeconds } = host.config.shutdown;
    this.#idleTimer = new IdleTimer(enabled ? afterIdleSeconds : 0, host.logger, () => this.drain());
    this.ended = this.#work(resources);
    this.ended.catch((error: Error) => host.logger.error({ err: error }, 'the worker has failed'));
  }

  get runs(): Iterable<Run> {
    return this.#openRuns;
  }

  async kept(): Promise<KeptThing[]> {
    const kept = await Promise.all([...this.#host.parts].map((part) => part.kept?.() ?? []));
    return kept.flat();
  }

  get claiming(): boolean {
    return !this.#stopping.signal.aborted;
  }

  drain(): void {
    this.#stopping.abort();
  }

  abort(): void {
    this.#abortRuns({ kind: 'worker-shutdown' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.ended.catch(() => {});
  }

  async #work(resources: AsyncDisposableStack): Promise<void> {
    await using _ = resources;
    using _idleTimer = this.#idleTimer;
    this.#idle();
    const { lost } = this.#host.engine;
    const onLost = () => this.#abortRuns({ kind: 'host-fault', message: lost.reason.message });
    lost.addEventListener('abort', onLost, { once: true });
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#faultPause.over(signal);
      const { config } = this.#host;
      const slots = this.#slots.free(slotsOf(config), networkRoom(config).runs);
      if (slots === 0) {
        // Not by a race of the tasks: each would be left with the losers of all races of its life.
        await unlessAborted(signal, this.#slots.changed).catch(() => {});
        continue;
      }
      const free = await this.#roomFor(slots);
      if (free === 0) {
        await setTimeout(resourcePauseMs, undefined, { signal }).catch(() => {});
        continue;
      }
      for (const claim of await this.#claim(free)) {
        this.#start(claim);
      }
    }
    await Promise.all(this.#undisposed);
    await this.#disk.settled();
    this.#host.logger.info('shutdown');
    this.#host.logger.info('exit');
    lost.throwIfAborted();
  }

  /** How many of so many tasks everything else is there for; none while that cannot be told. */
  async #roomFor(slots: number): Promise<number> {
    const { engine, logger } = this.#host;
    try {
      const free = await this.#freeSlots(slots);
      // A task that is claimed while the engine is silent would wait here; another worker may be able to run it.
      return free === 0 || engine.silent ? 0 : await this.#disk.roomFor(free);
    } catch (error) {
      if (!engine.lost.aborted) {
        logger.error({ err: error }, '[alert-operator] room for tasks could not be told');
      }
      return 0;
    }
  }

  #idle(): void {
    this.#idleTimer.idle();
    this.#options.onIdle?.();
  }

  /** As many of the slots as there is room for whatever their tasks may ask for. */
  async #freeSlots(slots: number): Promise<number> {
    const { parts, logger } = this.#host;
    const claimed = this.#slots.payloads;
    const rooms = await Promise.all([...parts].map((part) => part.room?.(claimed) ?? slots));
    const free = Math.min(slots, ...rooms);
    if (free < slots && free !== this.#adjustedTo) {
      logger.info(
        { message: `Devices are the limit. Adjusted Host Capacity: ${free}` },
        '[info] host capacity adjusted',
      );
    }
    this.#adjustedTo = free < slots ? free : undefined;
    return free;
  }

  #abortRuns(cause: AbortCause): void {
    this.#stopping.abort();
    this.#aborting.abort(new RunAbort(cause));
    for (const run of this.#openRuns) {
      run.abort(cause);
    }
  }

  /** Waits for tasks as long as the queue lets us; a failure is logged and costs a pause. */
  async #claim(tasks: number): Promise<Claim[]> {
    const { config, logger } = this.#host;
    const { signal } = this.#stopping;
    try {
      // The queue may have claimed for us what it has not told yet; only one that hears us hang up is cut.
      const cut = this.#options.hangsUp ? signal : never;
      const claims = await claimWork(config, tasks, cut);
      this.#pauseMs = firstPauseMs;
      for (const { status, runId } of claims) {
        logger.info({ taskId: status.taskId, runId }, 'claimed task');
      }
      return claims;
    } catch (error) {
      if (!signal.aborted) {
        this.#host.metrics?.claimErrors.inc();
        logger.error({ err: error }, 'work could not be claimed');
        await setTimeout(this.#pauseMs * (1 + Math.random()), undefined, { signal }).catch(() => {});
        this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
      }
      return [];
    }
  }

  #start(claim: Claim): void {
    this.#idleTimer.working();
    const { onResolved } = this.#options;
    const { logger, warmUnits } = this.#host;
    const id = { taskId: claim.status.taskId, runId: claim.runId };
    const place = this.#slots.take(claim.task.payload);
    let open: Run | undefined;
    let told: Outcome | undefined;
    const hooks = {
      onOpen: (run: Run) => {
        open = run;
        this.#opened(run);
      },
      onOver: (run: Run, outcome: Outcome) => {
        told = outcome;
        this.#pauseAfter(outcome);
        this.#vacate(run, place);
      },
    };
    const disposed = inRun(id, () => performRun(this.#host, claim, hooks))
      .then(
        (outcome) => {
          this.#count(open, outcome);
          if (outcome !== told) {
            this.#pauseAfter(outcome);
          }
          onResolved?.(id, outcome);
        },
        // Left to the queue, which resolves the run when its claim expires.
        (error: Error) => logger.error({ err: error, ...id }, '[alert-operator] task error'),
      )
      .finally(() => {
        warmUnits.refill();
        this.#disk.collectGarbage();
        this.#undisposed.delete(disposed);
        if (open !== undefined) {
          this.#vacate(open, place);
          this.#openRuns.delete(open);
        }
        place.leave();
        if (this.#slots.isEmpty && !this.#stopping.signal.aborted) {
          this.#idle();
        }
      });
    this.#undisposed.add(disposed);
  }

  #opened(run: Run): void {
    this.#openRuns.add(run);
    this.#options.onRun?.(run);
    const { signal } = this.#aborting;
    if (signal.aborted) {
      run.abort((signal.reason as RunAbort).abortCause);
    }
  }

  #vacate(run: Run, place: RunPlace): void {
    if (run.vacated === undefined) {
      run.vacated = new Date();
      this.#host.onStep?.(run);
      this.#host.metrics?.busySeconds.inc(secondsSince(run.claimed));
    }
    place.vacate();
  }

  /** Before the next claim, which the same fault of this host may meet. */
  #pauseAfter({ resolution }: Outcome): void {
    if (!this.#aborting.signal.aborted) {
      this.#faultPause.ended(resolution);
    }
  }

  #count(run: Run | undefined, { resolution }: Outcome): void {
    const { metrics } = this.#host;
    metrics?.runs.inc({ resolution: resolutionText(resolution) });
    if (run !== undefined) {
      metrics?.runSeconds.observe(secondsSince(run.claimed));
    }
    if (run?.started !== undefined) {
      metrics?.startSeconds.observe((run.started.getTime() - run.claimed.getTime()) / 1000);
    }
  }
}

function secondsSince(date: Date): number {
  return Math.max(0, Date.now() - date.getTime()) / 1000;
}
