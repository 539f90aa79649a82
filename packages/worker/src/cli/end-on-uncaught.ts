import { flushStandardStreams } from '@docker-worker/service-kit/standard-streams';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import { currentRun } from '../run/current-run.ts';
import { Suspects } from '../run/suspects.ts';
import type { Worker } from '../worker.ts';
import { exitCode } from './exit-code.ts';

/** Beside the grace period, for what resolves the runs and disposes of them. */
const disposalMs = 30_000;

export interface Uncaught {
  config: Pick<WorkerConfig, 'stateDirectory' | 'shutdown'>;
  logger: Logger;
  /** The worker of this process, while there is one. */
  worker(): Pick<Worker, 'abort' | 'runs' | 'ended'> | undefined;
}

/**
 * For an error that nobody handles: the process may be in any state, so it does not go on. What it was and which
 * run's is logged and kept in mind, the runs are aborted for other workers to take, everything is disposed
 * of as far as that goes in time, and the process exits with a code of its own.
 */
export function endOnUncaught({ config, logger, worker }: Uncaught): Disposable {
  let ending = false;
  const onUncaught = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin) => {
    const culprit = currentRun();
    const runs = [...(worker()?.runs ?? [])].map(({ taskId, runId }) => ({ taskId, runId }));
    logger.fatal({ err: error, origin, ...culprit, runs }, '[alert-operator] uncaught error');
    if (!ending) {
      ending = true;
      remember(runs, culprit?.taskId);
      void end();
    }
  };
  process.on('uncaughtException', onUncaught);
  return { [Symbol.dispose]: () => void process.off('uncaughtException', onUncaught) };

  function remember(runs: { taskId: string }[], culprit: string | undefined): void {
    try {
      new Suspects(config.stateDirectory).accuse(
        runs.map(({ taskId }) => taskId),
        culprit,
      );
    } catch (error) {
      logger.error({ err: error }, '[alert-operator] suspect tasks could not be recorded');
    }
  }

  async function end(): Promise<void> {
    const exit = () => void flushStandardStreams().then(() => process.exit(exitCode.uncaught));
    setTimeout(exit, config.shutdown.graceSeconds * 1000 + disposalMs);
    try {
      worker()?.abort();
      await worker()?.ended;
    } finally {
      exit();
    }
  }
}
