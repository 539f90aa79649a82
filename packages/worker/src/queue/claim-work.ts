import taskcluster from 'taskcluster-client';
import { type WorkerConfig, workerPoolId } from '../config/config.ts';
import { type Claim, ClaimWorkAnswer } from './queue.ts';

/** The queue answers after 20 seconds at the latest; this is when its answer counts as lost. */
const timeoutMs = 60_000;

/**
 * Asks the queue for tasks and waits as long as it lets us. When `signal` aborts, the connection is cut: the
 * queue stops looking for tasks for a caller that has hung up, and the promise rejects.
 */
export async function claimWork(config: WorkerConfig, tasks: number, signal: AbortSignal): Promise<Claim[]> {
  signal.throwIfAborted();
  const queue = new taskcluster.Queue({
    rootUrl: config.rootUrl,
    credentials: config.taskcluster,
    timeout: timeoutMs,
    retries: 0,
    // Connections of this client's own, so that they can be cut without touching any other call.
    agent: {},
  });
  const hangUp = () => {
    queue._httpAgent.http.destroy();
    queue._httpAgent.https.destroy();
  };
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    const answer = await queue.claimWork(workerPoolId(config), {
      tasks: Math.min(tasks, 32),
      workerGroup: config.workerGroup,
      workerId: config.workerId,
    });
    return ClaimWorkAnswer.parse(answer).tasks;
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}
