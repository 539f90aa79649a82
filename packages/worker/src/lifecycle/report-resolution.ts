import { untilAnswered } from '../queue/until-answered.ts';
import type { Resolution } from '../run/resolution.ts';
import { resolutionText } from '../run/resolution.ts';
import type { Run } from '../run/run.ts';

/**
 * Tells the queue how the run ended. One that was resolved elsewhere meanwhile, or whose claim has lapsed, is
 * not ours any more: the queue refuses that, and it stays as it is.
 */
export async function reportResolution(
  run: Pick<Run, 'queue' | 'taskId' | 'runId' | 'over' | 'logger'>,
  resolution: Resolution,
): Promise<void> {
  try {
    if (resolution.kind !== 'none') {
      // As long as the claim lives; a report whose answer was lost is taken twice.
      await untilAnswered(() => report(run, resolution), {
        signal: run.over,
        onRetry: (error) => run.logger.warn({ err: error }, 'the run could not be resolved yet'),
      });
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

async function report(
  { queue, taskId, runId }: Pick<Run, 'queue' | 'taskId' | 'runId'>,
  resolution: Exclude<Resolution, { kind: 'none' }>,
): Promise<unknown> {
  switch (resolution.kind) {
    case 'completed':
      return await queue().reportCompleted(taskId, runId);
    case 'failed':
      return await queue().reportFailed(taskId, runId);
    case 'exception':
      return await queue().reportException(taskId, runId, { reason: resolution.reason });
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
