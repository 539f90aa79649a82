import { type Claim, queueClient } from '../queue/queue.ts';
import { hostFault } from '../run/host-fault.ts';
import { type Outcome, outcomeOf } from '../run/outcome.ts';
import type { RunHost } from '../run/run.ts';
import { reportResolution } from './report-resolution.ts';

/** Resolves a claimed run for which this host has not even room for a log, so that the queue makes another at once. */
export async function giveBack({ config, logger }: RunHost, claim: Claim, error: Error): Promise<Outcome> {
  const { runId, credentials, takenUntil } = claim;
  const { taskId } = claim.status;
  const run = {
    ...{ taskId, runId, logger: logger.child({ taskId, runId }) },
    queue: () => queueClient(config.rootUrl, credentials),
    over: AbortSignal.timeout(Math.max(0, Date.parse(takenUntil) - Date.now())),
  };
  run.logger.error({ err: error }, '[alert-operator] task error');
  const { resolution } = hostFault(error.message, error);
  await reportResolution(run, resolution);
  return outcomeOf(resolution);
}
