import { setTimeout } from 'node:timers/promises';
import { startDeployment } from '../harness/deployment.ts';
import { startTestWorker } from '../harness/test-worker.ts';
import type { Finding } from './finding.ts';

/** A task is created at most so long before or after the worker is told to end. */
const aroundMs = 400;
const longestEndMs = 15_000;

/**
 * Ends workers, by drain and by abort in turn, around the moment in which a task is created for them, so many times: the
 * task has been run or goes back to the queue at once, or was never claimed.
 */
export async function soakShutdowns(count: number): Promise<Finding[]> {
  await using deployment = await startDeployment();
  const states: string[] = [];
  let slowest = 0;
  for (let round = 0; round < count; round += 1) {
    const worker = await startTestWorker(deployment, {
      ...{ capacity: 1, workerType: `shutdown-${round}`, warm: { units: 0 } },
    });
    const [createdAt, endedAt] = [Math.random() * aroundMs, Math.random() * aroundMs];
    const [taskId] = await Promise.all([
      setTimeout(createdAt).then(() =>
        deployment.createTask({ command: ['true'] }, { taskQueueId: `test/shutdown-${round}` }),
      ),
      setTimeout(endedAt).then(() => (round % 2 === 0 ? worker.drain() : worker.abort())),
    ]);
    const told = performance.now();
    await worker.ended;
    slowest = Math.max(slowest, performance.now() - told);
    await worker[Symbol.asyncDispose]();
    const { status } = await deployment.queue.status(taskId);
    states.push(
      status.runs
        .map((run: { state: string; reasonResolved?: string }) =>
          run.reasonResolved === undefined ? run.state : `${run.state}/${run.reasonResolved}`,
        )
        .join(', '),
    );
  }
  const good = ['completed/completed', 'exception/worker-shutdown, pending', 'pending'];
  const kinds = Object.entries(Object.groupBy(states, (state) => state));
  return [
    { what: 'workers that were told to end', figure: count },
    ...kinds.map(([state, all = []]) => ({
      what: `tasks whose runs are ${state}`,
      figure: all.length,
      isGood: good.includes(state),
    })),
    { what: 'slowest end, in ms', figure: Math.round(slowest), isGood: slowest < longestEndMs },
  ];
}
