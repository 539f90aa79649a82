import { setTimeout } from 'node:timers/promises';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { Finding } from './finding.ts';
import { SoakedWorker } from './soaked-worker.ts';

/** A task is created, and its worker is told to end, at most so long after the worker is there. */
const aroundMs = 1_500;
const longestEndMs = 30_000;
const sideBySide = 4;
const signals = ['SIGTERM', 'SIGQUIT'] as const;

interface Round {
  /** Of the task's runs, at the end of the worker. */
  states: string;
  endMs: number;
}

/**
 * Ends so many workers, with the signals for an abort and a drain in turn, around the moment in which a task is created for
 * them: the task has been run or goes back to the queue at once, or was never claimed.
 */
export async function soakShutdowns(count: number): Promise<Finding[]> {
  await using deployment = await startDeployment();
  const rounds: Round[] = [];
  let begun = 0;
  const endWorkers = async (_: unknown, index: number) => {
    await using folder = await makeTempDir();
    while (begun < count) {
      const number = begun++;
      const pool = `shutdown-${number}`;
      const settings = { capacity: 1, workerType: pool, workerId: `soak-${index}`, warm: { units: 0 } };
      await using worker = await SoakedWorker.start(folder.path, deployment, settings);
      rounds.push(await endAround(deployment, worker, pool, signals[number % signals.length] ?? 'SIGTERM'));
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, sideBySide) }, endWorkers));
  const good = ['completed/completed', 'exception/worker-shutdown, pending', 'pending'];
  const kinds = Object.entries(Object.groupBy(rounds, ({ states }) => states));
  const slowest = Math.max(...rounds.map(({ endMs }) => endMs));
  return [
    { what: 'workers that were told to end', figure: rounds.length },
    ...kinds.map(([states, all = []]) => ({
      what: `tasks whose runs are ${states}`,
      figure: all.length,
      isGood: good.includes(states),
    })),
    { what: 'slowest end, in ms', figure: Math.round(slowest), isGood: slowest < longestEndMs },
  ];
}

async function endAround(
  deployment: Deployment,
  worker: SoakedWorker,
  pool: string,
  signal: NodeJS.Signals,
): Promise<Round> {
  await worker.printed(/"type":"start"/);
  const [taskId, told] = await Promise.all([
    setTimeout(Math.random() * aroundMs).then(() =>
      deployment.createTask({ command: ['true'] }, { taskQueueId: `test/${pool}` }),
    ),
    setTimeout(Math.random() * aroundMs).then(() => {
      worker.kill(signal);
      return performance.now();
    }),
  ]);
  await worker.exited;
  const endMs = performance.now() - told;
  const { status } = await deployment.queue.status(taskId);
  const states = status.runs.map(({ state, reasonResolved }: { state: string; reasonResolved?: string }) =>
    [state, reasonResolved].filter(Boolean).join('/'),
  );
  return { states: states.join(', '), endMs };
}
