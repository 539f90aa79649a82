import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type WorkerConfig, workerNameOf } from './config/config.ts';
import { readCertificate } from './config/read-certificate.ts';
import { DiskRoom } from './disk-room.ts';
import type { Engine } from './engine/engine.ts';
import type { PullEvent } from './engine/ensure-image.ts';
import { sweepSharedFolders } from './engine/shared-folder.ts';
import { sweep } from './engine/sweep.ts';
import type { WarmUnits } from './engine/warm-units.ts';
import { sweepProfiles } from './features/allow-ptrace/app-armor.ts';
import { CacheStore } from './features/caches/cache-store.ts';
import { PurgeService } from './features/caches/purge-service.ts';
import { DevicePool } from './features/devices/device-pool.ts';
import { slotsOf } from './features/devices/host-devices.ts';
import type { OpenShell } from './features/interactive/open-shell.ts';
import { PhoneSessions } from './features/testdroid-proxy/phone-sessions.ts';
import { phonesLeft } from './features/testdroid-proxy/phones-left.ts';
import { guardMetadata } from './firewall/guard-metadata.ts';
import { IdleTimer } from './idle-timer.ts';
import { ImageStore } from './images/image-store.ts';
import { configuredWarmUnits } from './lifecycle/create-run-unit.ts';
import type { Outcome } from './lifecycle/execute.ts';
import { performRun } from './lifecycle/perform-run.ts';
import { type LogServer, startLogServer } from './log/log-server.ts';
import type { WorkerMetrics } from './operators/worker-metrics.ts';
import type { WorkerCommands } from './providers/provider.ts';
import { claimWork } from './queue/claim-work.ts';
import type { Claim } from './queue/queue.ts';
import { inRun } from './run/current-run.ts';
import { resolutionText } from './run/resolution.ts';
import type { Run, RunHost } from './run/run.ts';
import { type AbortCause, RunAbort } from './run/run-abort.ts';
import { sweepRunFolders } from './run/run-folder.ts';
import { Suspects } from './run/suspects.ts';
import { unlessAborted } from './unless-aborted.ts';
import { version } from './version.ts';

/** At most one call a second to a queue that fails. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Nothing tells when a disk has room again, a phone is free or an engine answers. */
const resourcePauseMs = 5_000;

export interface WorkerOptions {
  /** Its credentials may be replaced while the worker runs. */
  config: WorkerConfig;
  logger: Logger;
  /** Stays the caller's. */
  engine: Engine;
  /** Default: as the configuration wants them. */
  warmUnits?: WarmUnits;
  /** Default: nothing is counted. */
  metrics?: WorkerMetrics;
  /** Told of every step of a pull for a task. */
  onPull?(event: PullEvent): void;
  /** Called when people can log into a run's container. */
  onShell?(run: Run, shell: OpenShell): void;
  /** Called when a run's log exists, before anything else is done for it. */
  onRun?(run: Run): void;
  /** Called when a run is resolved and everything made for it is gone. */
  onResolved?(run: { taskId: string; runId: number }, outcome: Outcome): void;
}

/** A worker that claims tasks from a queue and runs them, `capacity` at a time. */
export interface Worker extends AsyncDisposable, WorkerCommands {
  /** Settles when the worker has ended, for whatever reason; rejects when the Docker Engine is lost. */
  ended: Promise<void>;
  /** The runs that are under way. */
  readonly runs: Iterable<Run>;
  /** False once no more tasks are claimed. */
  readonly claiming: boolean;
}

/** Sweeps what an earlier worker of this name left, then claims until it is told to stop. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config, logger, engine } = options;
  const workerName = workerNameOf(config);
  await using starting = new AsyncDisposableStack();
  const [logServer, swept] = await Promise.all([
    openLogServer(config, logger),
    sweep(engine.docker, workerName),
  ]);
  starting.use(logServer);
  if (swept.containers + swept.networks + swept.images > 0) {
    logger.warn(swept, 'removed what a killed worker left behind');
  }
  // Removed after the last container.
  starting.use(await guardMetadata({ docker: engine.docker, lost: engine.lost, config, workerName, logger }));
  await sweepSharedFolders(config.stateDirectory);
  const warmUnits =
    options.warmUnits ?? starting.use(configuredWarmUnits({ engine, config, workerName, logger }));
  warmUnits.refill();
  logger.info({ rootUrl: config.rootUrl, worker: workerName, version }, 'start');
  const caches = starting.use(
    new CacheStore(config.cache.volumeCachePath, logger, (event) => options.metrics?.caches.inc({ event })),
  );
  const [leftCaches, profiles, folders] = await Promise.all([
    caches.sweep(),
    sweepProfiles(workerName),
    sweepRunFolders(workerName),
    new Suspects(config.stateDirectory).sweep(),
  ]);
  if (leftCaches + profiles + folders > 0) {
    logger.warn({ caches: leftCaches, profiles, folders }, 'removing what a killed worker left behind');
  }
  const phoneSessions = new PhoneSessions(config, workerName, logger);
  // The cloud may be slow, and there is no reason to wait for it.
  const leftSessions = phoneSessions.sweep();
  starting.defer(() => leftSessions);
  const aborting = new AbortController();
  const host: RunHost = {
    config,
    version,
    workerName,
    engine,
    logServer,
    logger,
    metrics: options.metrics,
    warmUnits,
    devices: new DevicePool(config),
    caches,
    images: new ImageStore({
      ...{ docker: engine.docker, folder: join(config.stateDirectory, 'images'), logger },
      expirationMs: config.garbageCollection.imageExpiration,
      onRemoved: () => options.metrics?.removed.inc({ kind: 'image' }),
    }),
    purges: new PurgeService(config, caches, logger),
    phoneSessions,
    stopping: aborting.signal,
    onPull: options.onPull,
    onShell: options.onShell,
  };
  return new ClaimingWorker(options, host, aborting, starting.move());
}

async function openLogServer(config: WorkerConfig, logger: Logger): Promise<LogServer> {
  const { liveLogAddress, liveLogPort, secureLiveLogging } = config.logging;
  const certificate = async () => {
    try {
      return await readCertificate(config, 'logging.secureLiveLogging');
    } catch (error) {
      logger.error({ err: error }, '[alert-operator] ssl certificate error');
      throw error;
    }
  };
  const tls = secureLiveLogging ? await certificate() : undefined;
  return await startLogServer(liveLogAddress, liveLogPort, tls);
}

class ClaimingWorker implements Worker {
  readonly ended: Promise<void>;
  readonly #options: WorkerOptions;
  readonly #host: RunHost;
  readonly #running = new Set<Promise<void>>();
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
    const { enabled, afterIdleSeconds } = host.config.shutdown;
    this.#idleTimer = new IdleTimer(enabled ? afterIdleSeconds : 0, host.logger, () => this.drain());
    this.ended = this.#work(resources);
    this.ended.catch((error: Error) => host.logger.error({ err: error }, 'the worker has failed'));
  }

  get runs(): Iterable<Run> {
    return this.#openRuns;
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
    using idleTimer = this.#idleTimer;
    idleTimer.idle();
    const { lost } = this.#host.engine;
    const onLost = () => this.#abortRuns({ kind: 'host-fault', message: lost.reason.message });
    lost.addEventListener('abort', onLost, { once: true });
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const slots = this.#freeSlots();
      if (slots === 0) {
        await unlessAborted(signal, Promise.race(this.#running)).catch(() => {});
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
    await Promise.all(this.#running);
    await this.#disk.settled();
    this.#host.logger.info('shutdown');
    this.#host.logger.info('exit');
    lost.throwIfAborted();
  }

  /** How many of so many tasks everything else is there for; none while that cannot be told. */
  async #roomFor(slots: number): Promise<number> {
    const { engine, logger } = this.#host;
    const payloads = [...this.#openRuns].map(({ task }) => task.payload);
    try {
      const free = Math.min(slots, await phonesLeft(this.#host, payloads));
      // A task that is claimed while the engine is silent would wait here; another worker may be able to run it.
      return free === 0 || engine.silent || !(await this.#disk.isEnoughFor(free)) ? 0 : free;
    } catch (error) {
      if (!engine.lost.aborted) {
        logger.error({ err: error }, '[alert-operator] room for tasks could not be told');
      }
      return 0;
    }
  }

  /** As many as can be given whatever devices their tasks may ask for. */
  #freeSlots(): number {
    const { config, devices, logger } = this.#host;
    const slots = Math.max(0, slotsOf(config) - this.#running.size);
    const free = Math.min(slots, devices.room);
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
      const claims = await claimWork(config, tasks, signal);
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
    const { onRun, onResolved } = this.#options;
    const { logger } = this.#host;
    const id = { taskId: claim.status.taskId, runId: claim.runId };
    const expected = this.#host.devices.expect(claim.task.payload);
    let open: Run | undefined;
    const opened = (run: Run) => {
      open = run;
      this.#openRuns.add(run);
      onRun?.(run);
      const { signal } = this.#aborting;
      if (signal.aborted) {
        run.abort((signal.reason as RunAbort).abortCause);
      }
    };
    const running = inRun(id, () => performRun(this.#host, claim, opened)).then(
      (outcome) => {
        this.#count(open, outcome);
        onResolved?.(id, outcome);
      },
      // Left to the queue, which resolves the run when its claim expires.
      (error: Error) => logger.error({ err: error, ...id }, '[alert-operator] task error'),
    );
    const settled = running.finally(() => {
      expected[Symbol.dispose]();
      this.#host.warmUnits.refill();
      this.#disk.collectGarbage();
      this.#running.delete(settled);
      if (this.#running.size === 0 && !this.#stopping.signal.aborted) {
        this.#idleTimer.idle();
      }
      if (open !== undefined) {
        this.#openRuns.delete(open);
        this.#host.metrics?.busySeconds.inc(secondsSince(open.claimed));
      }
    });
    this.#running.add(settled);
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
