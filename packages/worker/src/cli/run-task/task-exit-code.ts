import type { Outcome } from '../../run/outcome.ts';
import type { AbortCause } from '../../run/run-abort.ts';
import { exitCode } from '../exit-code.ts';

/**
 * The exit code that a task stands for: its own, or by what ended it instead.
 *
 * @param abort why it was stopped from outside, if it was
 * @param isTaken whether the queue has resolved it otherwise, as when its deadline has passed
 */
export function taskExitCode(
  { resolution, exitCode: own }: Outcome,
  abort?: AbortCause,
  isTaken = false,
): number {
  if (abort?.kind === 'max-run-time') {
    return exitCode.timeOut;
  }
  if (abort?.kind === 'canceled' || isTaken) {
    return exitCode.cancelled;
  }
  if (own >= 0) {
    return own;
  }
  if (resolution.kind === 'failed') {
    return exitCode.failure;
  }
  return resolution.kind === 'exception' && resolution.reason === 'malformed-payload'
    ? exitCode.malformed
    : exitCode.workerFault;
}
