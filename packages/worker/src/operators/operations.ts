import { uptime } from 'node:os';
import { standardOutput } from '@docker-worker/service-kit/standard-streams';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import { slotsOf } from '../features/index.ts';
import { WorkerMetrics } from '../metrics/worker-metrics.ts';
import type { Run } from '../run/run.ts';
import { openAdminServer } from './admin-server.ts';
import { MetricsLines } from './metrics-lines.ts';
import { registerGauges } from './worker-gauges.ts';
import { type Observed, workerStatus } from './worker-status.ts';

/** What a worker that belongs to a deployment tells its operators, from its start to its end. */
export interface Operations extends AsyncDisposable {
  metrics: WorkerMetrics;
  /** The worker claims from now on; told once. */
  ready(): void;
  /** The worker has ended for good. */
  ended(): void;
  onRun(run: Run): void;
  onResolved(run: { taskId: string; runId: number }): void;
}

/** @throws UserError when the status cannot be served where the configuration wants it */
export async function openOperations(
  config: WorkerConfig,
  logger: Logger,
  observed: () => Observed,
): Promise<Operations> {
  const metrics = new WorkerMetrics();
  registerGauges(metrics.registry, observed);
  const lines = new MetricsLines(config, (text) => standardOutput.write(text));
  const status = () => workerStatus(observed());
  await using opening = new AsyncDisposableStack();
  const admin = opening.use(await openAdminServer({ ...config.admin, registry: metrics.registry, status }));
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
    },
    onRun({ taskId, runId, task }) {
      lines.tell('taskQueue', { at: new Date(task.created), taskId, runId });
      lines.tell('taskStart', { taskId, runId });
    },
    ended: () => lines.tell('instanceShutdown'),
    onResolved: ({ taskId, runId }) => lines.tell('taskFinish', { taskId, runId }),
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
