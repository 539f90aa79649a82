import type { Resolution } from '../run/resolution.ts';
import { resolutionText } from '../run/resolution.ts';
import type { Run } from '../run/run.ts';

/**
 * Tells the queue how the run ended. One that was resolved elsewhere meanwhile, or whose claim has lapsed, is
 * not ours any more: the queue refuses that, and it stays as it is.
 */
export async function reportResolution(run: Run, resolution: Resolution): Promise<void> {
  const { taskId, runId } = run;
  try {
    switch (resolution.kind) {
      case 'completed':
        await run.queue().reportCompleted(taskId, runId);
        break;
      case 'failed':
        await run.queue().reportFailed(taskId, runId);
        break;
      case 'exception':
        await run.queue().reportException(taskId, runId, { reason: resolution.reason });
        break;
      case 'none':
        break;
    }
    run.logger.info(
      { taskState: taskState(resolution), resolution: resolutionText(resolution) },
      'task resolved',
    );
  } catch (error) {
    // The queue's own time-out resolves a run that cannot be reported; nothing better can be done from here.
    run.logger.error({ err: error, resolution: resolutionText(resolution) }, 'the run could not be resolved');
  }
}

/** In the words of the original's log. */
function taskState(resolution: Resolution): string {
  switch (resolution.kind) {
    case 'none':
      return 'canceled';
    case 'exception':
      return resolution.reason === 'intermittent-task' ? 'retry' : 'aborted';
    default:
      return resolution.kind;
  }
}
