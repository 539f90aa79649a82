import { mayPass } from '../async/retry.ts';
import { unlessAborted } from '../async/unless-aborted.ts';
import type { LogConsumer } from '../features/feature.ts';
import { keepLog } from '../features/logs/keep-log.ts';
import { selectFeatures } from '../features/selection.ts';
import { fileLimitAdvice } from '../file-limit.ts';
import type { Claim } from '../queue/queue.ts';
import { hostFault, isHostFault } from '../run/host-fault.ts';
import { type Outcome, outcomeOf } from '../run/outcome.ts';
import { type Resolution, RunFailure } from '../run/resolution.ts';
import { openRun, type Run, type RunHost } from '../run/run.ts';
import { RunAbort } from '../run/run-abort.ts';
import { Suspects } from '../run/suspects.ts';
import { examine } from './examine.ts';
import { execute } from './execute.ts';
import { expandScopes } from './expand-scopes.ts';
import { giveBack } from './give-back.ts';
import { writeHeader } from './header.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type Reclaiming, startReclaiming } from './reclaim.ts';
import { reportResolution } from './report-resolution.ts';

export interface RunHooks {
  /** Given the run as soon as its log exists. */
  onOpen?(run: Run): void;
  /**
   * The task is over and keeps nothing from others: another may run, while this one's log is uploaded, its result reported
   * and what was made for it removed. Not called for a run of which that cannot be told before the end.
   */
  onOver?(run: Run, outcome: Outcome): void;
}

/**
 * The whole life of a claimed run: log, examination, preparation, task, artifacts, resolution, disposal.
 * The run is resolved exactly once, unless it is no longer ours to resolve; whatever was made for it is
 * gone when this settles. It never rejects for anything that the task or its definition did.
 */
export async function performRun(
  host: RunHost,
  claim: Claim,
  { onOpen, onOver }: RunHooks = {},
): Promise<Outcome> {
  await using resources = new AsyncDisposableStack();
  let run: Run;
  try {
    run = await openRun(host, claim, resources);
  } catch (error) {
    return await giveBack(host, claim, error as Error);
  }
  const reclaiming = startReclaiming(run, claim.takenUntil, host.config.task.reclaimDivisor);
  resources.use(reclaiming);
  onOpen?.(run);
  run.logger.info('run task');
  run.logger.info('task start');
  const started = performance.now();
  const consumers = openLogConsumers(run);
  writeHeader(run);
  const background: Promise<unknown>[] = [];
  const outcome = await attempt(run, reclaiming, background);
  const vacating = vacate(run, background).then((vacated) => vacated && onOver?.(run, outcome));
  // Also when its log or its report fails, and before the run's resources, which take nothing more once they are disposed of.
  await using _ = { [Symbol.asyncDispose]: async () => void (await vacating) };
  const success = outcome.resolution.kind === 'completed';
  run.log.worker(
    `${success ? 'Successful' : 'Unsuccessful'} task run with exit code: ${outcome.exitCode} ` +
      `completed in ${((performance.now() - started) / 1000).toFixed(3)} seconds`,
  );
  const closed = await closeLog(run, await consumers, outcome);
  await reportResolution(run, closed.resolution);
  await reclaiming[Symbol.asyncDispose]();
  return closed;
}

/** Gives back what the next run may need, unless the task's container may still use it; whether it did. */
async function vacate({ mayRun, leases, logger }: Run, background: Promise<unknown>[]): Promise<boolean> {
  // What an aborted preparation was still making must have an owner before the owners are disposed of.
  await Promise.allSettled(background);
  if (mayRun) {
    return false;
  }
  await leases.disposeAsync().catch((error: Error) => {
    logger.error({ err: error }, '[alert-operator] what a run had for itself could not be given back');
  });
  return true;
}

/** Final: on another worker, or once more, the same would happen to all the tasks beside it. */
const suspectText =
  "This worker's process has failed while it ran this task before, which ended the tasks beside it. It is not run again; " +
  "the worker's log tells of the error.";

/** Never rejects: what goes wrong becomes lines of the log and a resolution. */
async function attempt(run: Run, reclaiming: Reclaiming, background: Promise<unknown>[]): Promise<Outcome> {
  try {
    if (new Suspects(run.host.config.stateDirectory).has(run.taskId)) {
      throw new RunFailure({ kind: 'exception', reason: 'malformed-payload' }, suspectText);
    }
    const examination = await examine(run.task, run.host, () => expandScopes(run));
    if (!examination.accepted) {
      for (const message of examination.messages) {
        run.log.error(message);
      }
      return outcomeOf(examination.resolution);
    }
    const { payload, used, notices } = examination;
    run.reservedArtifacts = examination.reservedArtifacts;
    for (const notice of notices) {
      run.log.worker(notice);
    }
    for (const { name } of used) {
      run.host.metrics?.features.inc({ feature: name });
    }
    const preparing = prepare(run, payload, used);
    background.push(preparing);
    const prepared = await unlessAborted(run.signal, preparing);
    reclaiming.onCredentials(() => void renewCredentials(run, prepared));
    void renewCredentials(run, prepared);
    return await execute(run, payload, prepared);
  } catch (error) {
    return outcomeOf(explain(run, error));
  }
}

/** A sidecar that cannot follow is told in the worker's log; its task goes on with what it has. */
async function renewCredentials(run: Run, { sidecars }: Prepared): Promise<void> {
  await run.conceal(run.credentials);
  for (const sidecar of sidecars) {
    sidecar.renewCredentials().then(
      (renewed) => renewed && run.logger.info({ sidecar: sidecar.name }, 'Credentials updated'),
      (error) => run.logger.error({ err: error, sidecar: sidecar.name }, 'credentials could not be updated'),
    );
  }
}

function explain(run: Run, error: unknown): Resolution {
  // Whatever failed because of an abort, the abort is why.
  const cause = run.signal.aborted ? (run.signal.reason as RunAbort) : error;
  if (cause instanceof RunFailure || cause instanceof RunAbort) {
    run.log.error(cause.message);
    return cause.resolution;
  }
  run.logger.error({ err: error }, '[alert-operator] task error');
  const advice = fileLimitAdvice(error);
  const failure = hostFault(
    `The worker failed: ${[(error as Error).message, advice].filter(Boolean).join('; ')}`,
  );
  run.log.error(failure.message);
  return failure.resolution;
}

/**
 * Consumers follow the log from its first byte, also of a payload that turns out to be refused. One that could not be opened
 * fails the run when the log is closed.
 */
async function openLogConsumers(run: Run): Promise<LogConsumer[]> {
  const { used } = selectFeatures(run.task.payload, run.host.config);
  const opened = await Promise.allSettled(used.map((feature) => feature.openLog?.(run)));
  return opened.flatMap((result) => {
    if (result.status === 'rejected') {
      run.logger.error({ err: result.reason }, 'a feature could not follow the log');
      return [{ onClosed: () => Promise.reject(result.reason) }];
    }
    return result.value === undefined ? [] : [result.value];
  });
}

/** The log ends; a run whose log cannot be kept has not succeeded. */
async function closeLog(run: Run, consumers: LogConsumer[], outcome: Outcome): Promise<Outcome> {
  try {
    // One that has not been written to its end is kept as far as it goes.
    const written = await Promise.allSettled([run.log.close()]);
    const closed = await Promise.allSettled(consumers.map((consumer) => consumer.onClosed()));
    await keepLog(run);
    const failure = [...written, ...closed].find((result) => result.status === 'rejected');
    if (failure !== undefined) {
      throw failure.reason;
    }
    return outcome;
  } catch (error) {
    run.logger.error({ err: error, message: 'the log could not be kept' }, 'error killing states');
    if (outcome.resolution.kind !== 'completed') {
      return outcome;
    }
    if (error instanceof RunFailure) {
      return outcomeOf(error.resolution);
    }
    return outcomeOf(isHostFault(error) || mayPass(error) ? hostFault('').resolution : { kind: 'failed' });
  }
}
