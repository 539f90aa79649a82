import { startTestWorker } from '../harness/test-worker.ts';
import type { Finding } from './finding.ts';
import { stuck } from './stuck.ts';
import { startWatchedDeployment } from './watched-deployment.ts';

const capacity = 4;

/** Runs so many tasks that end at once. */
export async function soakShortTasks(count: number): Promise<Finding[]> {
  await using deployment = await startWatchedDeployment();
  await using _ = await startTestWorker(deployment, { capacity });
  const started = performance.now();
  for (let task = 0; task < count; task += 1) {
    await deployment.createTask({ command: ['true'] });
  }
  await Promise.race([deployment.resolved(count), stuck(deployment.reports)]);
  const reports = [...deployment.reports.values()];
  const completed = reports.filter(([report, ...more]) => report === 'completed' && more.length === 0).length;
  return [
    { what: 'tasks that end at once', figure: count },
    { what: 'tasks completed, each once', figure: completed, isGood: completed === count },
    { what: 'seconds in all', figure: Math.round((performance.now() - started) / 1000) },
  ];
}
