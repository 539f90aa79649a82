import { flushCompileCache } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { flushStandardStreams, standardOutput } from '@docker-worker/service-kit/standard-streams';
import { type Logger, pino, stdSerializers } from 'pino';
import { type WorkerConfig, workerNameOf } from '../config/config.ts';
import { requireSharedPaths } from '../containers/shared-paths.ts';
import { sweep } from '../containers/sweep.ts';
import { connectEngine, type Engine } from '../engine/engine.ts';
import { isEngineLost } from '../engine/engine-lost.ts';
import { sweepProfiles } from '../features/allow-ptrace/app-armor.ts';
import { featuresOf } from '../features/index.ts';
import { fileLimitAdvice } from '../file-limit.ts';
import { type Operations, openOperations } from '../operators/operations.ts';
import type { Observed } from '../operators/worker-status.ts';
import { type Alert, alerting } from '../providers/alerts.ts';
import { openProvider } from '../providers/open-provider.ts';
import type { WorkerCommands } from '../providers/provider.ts';
import { startWorker, type Worker } from '../worker.ts';
import { endOnUncaught } from './end-on-uncaught.ts';
import { exitCode } from './exit-code.ts';
import { notifyReady } from './notify-systemd.ts';

/** How long to wait before an engine that went away is asked for again. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;

/**
 * Runs a worker until it is told to end. SIGQUIT and SIGHUP let running tasks finish; SIGTERM and SIGINT abort them so
 * that other workers get them, and once more end the process at once. A Docker Engine that goes away
 * while the worker runs is waited for.
 */
export async function start(options: {
  config: string;
  host: 'standalone' | 'worker-runner';
  logLevel: string;
}): Promise<number> {
  await using provider = await openProvider(options.config, options.host);
  const { config, obsoleteKeys } = provider;
  let operations: Operations | undefined;
  const logger = workerLogger(config, options.logLevel, (alert) => {
    provider.alert(alert);
    operations?.onAlert(alert);
  });
  if (obsoleteKeys.length > 0) {
    logger.warn({ keys: obsoleteKeys }, 'configuration keys without a meaning');
  }
  const current = new CurrentWorker();
  using _uncaught = endOnUncaught({ config, logger, worker: () => current.worker });
  await using opened = await openOperations(config, logger, () => current.observed(config));
  operations = opened;
  const { metrics, onRun, onStep, onResolved } = opened;
  provider.follow(current, logger);
  let engine: Engine | undefined = await connectEngine(tellSilence(logger), current.stopped).catch(
    (error) => {
      if (current.stopped.aborted) {
        return undefined;
      }
      throw error;
    },
  );
  while (engine !== undefined) {
    await using connection: Engine = engine;
    // On another machine there is nothing to mount; what needs it does without, or is refused to who asks for it.
    if (connection.capabilities.hasSocket) {
      await requireSharedPaths(connection, workerNameOf(config), sharedFolders(config));
    }
    await using worker = await startWorker({
      config,
      engine: connection,
      logger,
      metrics,
      onRun,
      onStep,
      onResolved,
      onIdle: () => provider.workerIdle(),
    });
    current.take(worker, connection);
    opened.ready();
    await notifyReady();
    // Otherwise only a worker that ends in peace leaves the next one what it has compiled.
    flushCompileCache();
    try {
      await worker.ended;
      break;
    } catch (error) {
      if (!isEngineLost(error)) {
        throw error;
      }
      logger.error({ err: error }, '[alert-operator] docker engine lost');
    }
    engine = await reconnectEngine(config, logger, current.stopped);
  }
  opened.ended();
  await provider.workerEnded().catch((error: Error) => {
    logger.error({ err: error }, '[alert-operator] the end of the worker could not be told');
  });
  return 0;
}

/** What the engine mounts into containers, by the configuration keys that name it. */
function sharedFolders(config: WorkerConfig): Record<string, string> {
  const { stateDirectory } = config;
  return Object.assign({ stateDirectory }, ...featuresOf(config).map((one) => one.sharedFolders?.(config)));
}

/** Waits for the engine and removes what the lost runs left on it; gives nothing when the worker is to stop. */
async function reconnectEngine(
  config: WorkerConfig,
  logger: Logger,
  stopped: AbortSignal,
): Promise<Engine | undefined> {
  for (let pause = firstPauseMs; !stopped.aborted; pause = Math.min(pause * 2, longestPauseMs)) {
    // Nothing tells when an engine comes back.
    await setTimeout(pause, undefined, { signal: stopped }).catch(() => {});
    try {
      const engine = await connectEngine(tellSilence(logger), stopped);
      await sweep(engine.docker, workerNameOf(config), true);
      await sweepProfiles(workerNameOf(config), true);
      logger.info('docker engine answers again');
      return engine;
    } catch (error) {
      logger.warn({ err: error }, 'docker engine does not answer');
    }
  }
  return undefined;
}

function tellSilence(logger: Logger): (silent: boolean) => void {
  return (silent) =>
    silent
      ? logger.error('[alert-operator] docker engine does not answer')
      : logger.info('docker engine answers again');
}

/** Whichever worker of this process runs: signals and the provider command it, also before there is one. */
class CurrentWorker implements WorkerCommands {
  readonly #stopping = new AbortController();
  #asked: 'drain' | 'abort' | undefined;
  #worker: Worker | undefined;
  #engine: Engine | undefined;

  constructor() {
    process.on('SIGQUIT', () => this.drain());
    // A configuration cannot be read anew while tasks run by it; what starts the worker again does that.
    process.on('SIGHUP', () => this.drain());
    process.on('SIGTERM', () => this.#terminate(exitCode.terminated));
    process.on('SIGINT', () => this.#terminate(exitCode.interrupted));
  }

  /** Aborted when no further worker is to be started. */
  get stopped(): AbortSignal {
    return this.#stopping.signal;
  }

  get worker(): Worker | undefined {
    return this.#worker;
  }

  take(worker: Worker, engine: Engine): void {
    this.#worker = worker;
    this.#engine = engine;
    if (this.#asked !== undefined) {
      worker[this.#asked]();
    }
  }

  observed(config: WorkerConfig): Observed {
    const claiming = this.#worker?.claiming ?? false;
    const worker = this.#worker;
    return {
      ...{ config, engine: this.#engine, claiming, runs: worker?.runs ?? [] },
      kept: async () => (await worker?.kept()) ?? [],
    };
  }

  drain(): void {
    this.#asked ??= 'drain';
    this.#stopping.abort();
    this.#worker?.drain();
  }

  abort(): void {
    this.#asked = 'abort';
    this.#stopping.abort();
    this.#worker?.abort();
  }

  #terminate(code: number): void {
    if (this.#asked === 'abort') {
      void flushStandardStreams().then(() => process.exit(code));
    }
    this.abort();
  }
}

/** One JSON object per line on standard output; its `type` is what tools look for. */
function workerLogger(config: WorkerConfig, level: string, onAlert: (alert: Alert) => void): Logger {
  const { provisionerId, workerType, workerGroup, workerId, workerNodeType } = config;
  return pino(
    {
      level,
      base: { source: 'top', provisionerId, workerType, workerGroup, workerId, workerNodeType },
      messageKey: 'type',
      serializers: {
        err: (error: Error) => ({ ...stdSerializers.err(error), advice: fileLimitAdvice(error) }),
      },
      hooks: { logMethod: alerting(onAlert) },
    },
    standardOutput,
  );
}
