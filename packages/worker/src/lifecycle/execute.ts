import { once } from 'node:events';
import { clearTimeout, setTimeout } from 'node:timers';
import { longTimeout } from '../async/long-timeout.ts';
import { unlessAborted } from '../async/unless-aborted.ts';
import { whenAborted } from '../async/when-aborted.ts';
import type { RunningContainer } from '../containers/task-container.ts';
import { engineStatus } from '../engine/engine.ts';
import type { Payload } from '../payload/payload.ts';
import { hostFault, isHostFault } from '../run/host-fault.ts';
import { type Outcome, outcomeOf } from '../run/outcome.ts';
import { type Resolution, RunFailure } from '../run/resolution.ts';
import type { Run } from '../run/run.ts';
import type { RunAbort } from '../run/run-abort.ts';
import { type Prepared, unstartable } from './prepare.ts';

/** Of a command that the kernel has killed. */
const killed = 137;
/** How long a container may take to exit that has been killed. */
const usualExitMs = 60_000;
/** How long a container that is about to end of itself may take for it after the maxRunTime. */
const endingMs = 10_000;

/** Runs a prepared task to its end, or to its abort, and then the features' part. */
export async function execute(
  run: Run,
  payload: Payload,
  prepared: Prepared,
  { exitMs = usualExitMs } = {},
): Promise<Outcome> {
  run.signal.throwIfAborted();
  const container = await start(run, prepared);
  using limit = limitRunTime(run, payload, prepared);
  run.started = new Date();
  run.host.onStep?.(run);
  run.logger.info('task started');
  notifyStarted(run, prepared, container);
  // Not sooner: the engine sets up one network at a time, and the task's comes first.
  run.host.warmUnits.refill();
  const outcome = await exitOf(run, payload, container, exitMs);
  run.exited = new Date();
  run.host.onStep?.(run);
  limit[Symbol.dispose]();
  if (run.host.onExited !== undefined) {
    // Nobody waits for it longer than for the rest of what follows a task.
    await unlessAborted(run.over, run.host.onExited(run, container.id, outcome)).catch(() => {});
  }
  for (const sidecar of prepared.sidecars) {
    sidecar.release();
    if (sidecar.request.endsWithTask) {
      void sidecar.end();
    }
  }
  return await finish(run, prepared, container, outcome);
}

/** Ends the task after its maxRunTime, unless its command has ended and only its container is still there. */
function limitRunTime(run: Run, { maxRunTime }: Payload, { contributions }: Prepared): Disposable {
  const abort = () => run.abort({ kind: 'max-run-time', seconds: maxRunTime });
  let limit = longTimeout(() => {
    const isEnding = contributions.map(({ onTimeUp }) => onTimeUp?.()).includes(true);
    limit = longTimeout(abort, isEnding ? endingMs : 0);
  }, maxRunTime * 1000);
  return { [Symbol.dispose]: () => limit[Symbol.dispose]() };
}

async function start(run: Run, { container }: Prepared): Promise<RunningContainer> {
  const { log, logger } = run;
  logger.info({ container: container.id }, 'task run');
  log.worker('=== Task Starting ===');
  run.mayRun = true;
  try {
    return await container.start(log.output());
  } catch (error) {
    run.mayRun = engineStatus(error) === undefined;
    throw unstartable(run, error);
  }
}

function notifyStarted(run: Run, { contributions }: Prepared, container: RunningContainer): void {
  for (const { onStarted } of contributions) {
    onStarted?.(container).catch((error: Error) => {
      run.abort({ kind: 'started-failed', message: error.message });
    });
  }
}

async function exitOf(
  run: Run,
  payload: Payload,
  container: RunningContainer,
  exitMs: number,
): Promise<Outcome> {
  const settled = new AbortController();
  const abort = run.signal.aborted
    ? Promise.resolve()
    : once(run.signal, 'abort', { signal: settled.signal }).then(() => {});
  // An abort asks the container to end; its exit is awaited all the same, so that the log is whole.
  abort.then(
    () => container.kill(),
    () => {},
  );
  const exit = await Promise.race([container.exited, overdue(run, exitMs, settled.signal)]).finally(() =>
    settled.abort(),
  );
  run.mayRun = exit === undefined;
  if (run.signal.aborted || exit === undefined) {
    const { message, resolution } = run.signal.reason as RunAbort;
    run.log.error(message);
    return outcomeOf(resolution);
  }
  run.log.worker('=== Task Finished ===');
  const { exitCode, outOfMemory } = exit;
  if (outOfMemory && exitCode === killed) {
    run.log.error('The task was killed because it used more memory than it may.');
  } else if (outOfMemory) {
    run.log.worker('A process of the task was killed because the task used more memory than it may.');
  }
  return outcomeOf(resolutionOf(exitCode, payload), exitCode);
}

/** Settles, with nothing, when a run that was aborted has a container that does not exit. */
function overdue({ signal, host, logger }: Run, exitMs: number, settled: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const begin = () => {
      const timer = setTimeout(() => {
        host.metrics?.overdueRuns.inc();
        logger.error('[alert-operator] the container of an aborted run does not exit');
        resolve(undefined);
      }, exitMs);
      settled.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    whenAborted(signal, begin, settled);
  });
}

function resolutionOf(exitCode: number, { onExitStatus }: Payload): Resolution {
  if (exitCode === 0) {
    return { kind: 'completed' };
  }
  return onExitStatus?.retry?.includes(exitCode)
    ? { kind: 'exception', reason: 'intermittent-task' }
    : { kind: 'failed' };
}

/** Features see the container after its exit, except of a run that another worker may have by now. */
async function finish(
  run: Run,
  { contributions }: Prepared,
  container: RunningContainer,
  outcome: Outcome,
): Promise<Outcome> {
  if (run.over.aborted) {
    return outcome;
  }
  const exited = await Promise.allSettled(contributions.map((part) => part.onExited?.(container, run.over)));
  if (run.over.aborted) {
    const { message, resolution } = run.over.reason as RunAbort;
    run.log.error(message);
    return outcomeOf(resolution);
  }
  const failures = exited.filter((result) => result.status === 'rejected');
  for (const { reason } of failures) {
    run.logger.error({ err: reason }, 'error killing states');
    run.log.error((reason as Error).message);
  }
  if (failures.length === 0 || outcome.resolution.kind !== 'completed') {
    return outcome;
  }
  const reasons = failures.map(({ reason }) => reason as Error);
  const told =
    reasons.find((reason) => reason instanceof RunFailure) ??
    (reasons.some(isHostFault) ? hostFault('') : undefined);
  return outcomeOf(told?.resolution ?? { kind: 'failed' });
}
