import { runV1 } from '@docker-worker/exec-ws-server/testing/v1-client';
import type { Deployment } from '../harness/deployment.ts';
import { shellLink } from '../harness/shell-link.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { startTestWorker, type TestWorker } from '../harness/test-worker.ts';
import type { Finding } from './finding.ts';
import { stuck } from './stuck.ts';
import { startWatchedDeployment } from './watched-deployment.ts';

const capacity = 4;
/** Long enough for somebody who comes at once, short enough that the container ends with the command of some of them. */
const interactive = { minTime: 1, expirationAfterSession: 0, address: '127.0.0.1' };

/** Runs so many tasks that end at once. */
export function soakShortTasks(count: number): Promise<Finding[]> {
  return soak(count, {});
}

/** The same with a sidecar each. */
export function soakShortSidecars(count: number): Promise<Finding[]> {
  return soak(count, { taskclusterProxy: true });
}

/** The same with a command beside the task's in each container, which ends at once as well. */
export async function soakShortShells(count: number): Promise<Finding[]> {
  let answered = 0;
  const findings = await soak(count, { interactive: true }, async (deployment, worker, taskId) => {
    const { socket } = await shellLink(deployment, worker, taskId);
    const { exitCode } = await runV1(socket, ['true']);
    answered += Number(exitCode === 0);
  });
  return [...findings, { what: 'commands beside them that ended with 0', figure: answered }];
}

async function soak(
  count: number,
  features: object,
  visit?: (deployment: Deployment, worker: TestWorker, taskId: string) => Promise<void>,
): Promise<Finding[]> {
  await using deployment = await startWatchedDeployment();
  await using state = await makeTempDir();
  await using worker = await startTestWorker(deployment, {
    ...{ capacity, host: '127.0.0.1', interactive, stateDirectory: state.path },
  });
  const started = performance.now();
  for (let task = 0; task < count; task += 1) {
    const taskId = await deployment.createTask({ command: ['true'], features });
    // Whoever comes too late finds nobody, which is no fault.
    visit?.(deployment, worker, taskId).catch(() => {});
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
