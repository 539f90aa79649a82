import { setTimeout } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { type WorkerConfig, workerNameOf } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { connectEngine, type Engine, EngineLost } from '../engine/engine.ts';
import { sweep } from '../engine/sweep.ts';
import { startWorker, type Worker } from '../worker.ts';
import { exitCode } from './exit-code.ts';

/** How long to wait before an engine that went away is asked for again. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;

/**
 * Runs a worker until it is told to end. SIGQUIT lets running tasks finish; SIGTERM and SIGINT abort them so
 * that other workers get them, and once more end the process at once. A Docker Engine that goes away
 * while the worker runs is waited for.
 */
export async function start(options: { config: string; logLevel: string }): Promise<number> {
  const config = await readConfig(options.config);
  const logger = workerLogger(config, options.logLevel);
  const signals = new StopSignals();
  let engine: Engine | undefined = await connectEngine();
  while (engine !== undefined) {
    await using connection: Engine = engine;
    await using worker = await startWorker({ config, engine: connection, logger });
    signals.command(worker);
    try {
      await worker.ended;
      return 0;
    } catch (error) {
      if (!(error instanceof EngineLost) || signals.stopped.aborted) {
        throw error;
      }
      logger.error({ err: error }, '[alert-operator] docker engine lost');
    }
    engine = await reconnectEngine(config, logger, signals.stopped);
  }
  return 0;
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
      const engine = await connectEngine();
      await sweep(engine.docker, workerNameOf(config), true);
      logger.info('docker engine answers again');
      return engine;
    } catch (error) {
      logger.warn({ err: error }, 'docker engine does not answer');
    }
  }
  return undefined;
}

/** The signals that end a worker, for whichever worker of this process runs. */
class StopSignals {
  readonly #stopping = new AbortController();
  #aborting = false;
  #worker: Worker | undefined;

  constructor() {
    process.on('SIGQUIT', () => this.#drain());
    process.on('SIGTERM', () => this.#abort(exitCode.terminated));
    process.on('SIGINT', () => this.#abort(exitCode.interrupted));
  }

  get stopped(): AbortSignal {
    return this.#stopping.signal;
  }

  command(worker: Worker): void {
    this.#worker = worker;
  }

  #drain(): void {
    this.#stopping.abort();
    this.#worker?.drain();
  }

  #abort(code: number): void {
    if (this.#aborting) {
      process.exit(code);
    }
    this.#aborting = true;
    this.#stopping.abort();
    this.#worker?.abort();
  }
}

/** One JSON object per line on standard output; its `type` is what tools look for. */
function workerLogger(config: WorkerConfig, level: string): Logger {
  const { provisionerId, workerType, workerGroup, workerId, workerNodeType } = config;
  return pino({
    level,
    base: { source: 'top', provisionerId, workerType, workerGroup, workerId, workerNodeType },
    messageKey: 'type',
  });
}
