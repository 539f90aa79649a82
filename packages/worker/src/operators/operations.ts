import { uptime } from 'node:os';
import { standardOutput } from '@docker-worker/service-kit/standard-streams';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import { slotsOf } from '../features/index.ts';
import { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { RecentProblems } from '../pages/recent-problems.ts';
import type { Alert } from '../providers/alerts.ts';
import type { Outcome } from '../run/outcome.ts';
import { resolutionText } from '../run/resolution.ts';
import type { Run } from '../run/run.ts';
import { openAdminServer } from './admin-server.ts';
import { MetricsLines } from './metrics-lines.ts';
import { registerGauges } from './worker-gauges.ts';
import { WorkerPages } from './worker-pages.ts';
import { type Observed, workerStatus } from './worker-status.ts';

/** What a worker that belongs to a deployment tells its operators, from its start to its end. */
export interface Operations extends AsyncDisposable {
  metrics: WorkerMetrics;
  /** The worker claims from now on; told once. */
  ready(): void;
  /** The worker has ended for good. */
  ended(): void;
  onRun(run: Run): void;
  /** A step of a run that people are shown. */
  onStep(run: Run): void;
  onResolved(run: { taskId: string; runId: number }, outcome: Outcome): void;
  /** Something that operators must know of. */
  onAlert(alert: Alert): void;
}

/** @throws UserError when the status cannot be served where the configuration wants it */
export async function openOperations(
  config: WorkerConfig,
  logger: Logger,
  observed: () => Observed,
): Promise<Operations> {
  const metrics = new WorkerMetrics();
  registerGauges(metrics.registry, observed);
  const problems = new RecentProblems();
  const pages = new WorkerPages(observed, problems);
  const lines = new MetricsLines(config, (text) => standardOutput.write(text));
  const status = () => workerStatus(observed());
  await using opening = new AsyncDisposableStack();
  const admin = opening.use(
    await openAdminServer({ ...config.admin, registry: metrics.registry, status, pages }),
  );
  logger.info({ address: config.admin.address, port: admin.port }, 'status is served');
  lines.tell('instanceBoot', { at: new Date(Date.now() - uptime() * 1000) });
  const alive = () => {
    logger.info({ uptime: Math.round(process.uptime()) }, 'aliveness check');
    void efficiency(metrics, observed()).then((figures) => logger.info(figures, 'reporting efficiency'));
  };
  const pulse = setInterval(alive, config.alivenessCheckInterval).unref();
  opening.defer(() => clearInterval(pulse));
  alive();
  const open = opening.move();
  let ready = false;
  return {
    metrics,
    ready() {
      if (!ready) {
        ready = true;
        lines.tell('workerReady');
      }
      pages.changed();
    },
    onRun({ taskId, runId, task }) {
      lines.tell('taskQueue', { at: new Date(task.created), taskId, runId });
      lines.tell('taskStart', { taskId, runId });
      pages.changed();
    },
    ended: () => lines.tell('instanceShutdown'),
    onStep: () => pages.changed(),
    onResolved({ taskId, runId }, { resolution }) {
      lines.tell('taskFinish', { taskId, runId });
      if (resolution.kind !== 'completed') {
        problems.add(`${taskId} run ${runId}: ${resolutionText(resolution)}`);
      }
      pages.changed();
    },
    onAlert({ title, description }) {
      problems.add([title, description].filter((part) => part !== '').join(': '));
      pages.changed();
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** How much of the time of all slots, since the process began, they have been taken by runs. */
async function efficiency(metrics: WorkerMetrics, { config, runs }: Observed) {
  const { values } = await metrics.busySeconds.get();
  const running = [...runs].filter(({ vacated }) => vacated === undefined);
  const claimed = running.map((run) => (Date.now() - run.claimed.getTime()) / 1000);
  const busy = [...values.map(({ value }) => value), ...claimed].reduce((sum, seconds) => sum + seconds, 0);
  const capacity = slotsOf(config);
  return { efficiency: busy / (capacity * process.uptime()), capacity, running: running.length };
}
