import { type WorkerConfig, workerPoolId } from '../config/config.ts';
import { cuttableCall } from './cuttable-call.ts';
import { type Claim, ClaimWorkAnswer } from './queue.ts';

/** The queue answers after 20 seconds at the latest; this is when its answer counts as lost. */
const timeoutMs = 30_000;

/** Asks the queue for tasks and waits as long as it lets us, or until `signal` aborts. */
export async function claimWork(config: WorkerConfig, tasks: number, signal: AbortSignal): Promise<Claim[]> {
  const { rootUrl, taskcluster: credentials, workerGroup, workerId } = config;
  const answer = await cuttableCall({ rootUrl, credentials, timeoutMs }, signal, (queue) =>
    queue.claimWork(workerPoolId(config), { tasks: Math.min(tasks, 32), workerGroup, workerId }),
  );
  return ClaimWorkAnswer.parse(answer).tasks;
}
