import { startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { Finding } from './finding.ts';
import { SoakedWorker } from './soaked-worker.ts';

/** Until here the worker still grows to its usual size. */
const warmedUp = 1 / 3;
/** Figures of memory are medians of so many, because a single one hits or misses a garbage collection. */
const samples = 20;

/** Many short tasks, every other with a sidecar and a cache, at capacity 4. */
export async function soakTasks(count: number): Promise<Finding[]> {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await SoakedWorker.start(folder.path, deployment, { capacity: 4 });
  const resolved = Promise.withResolvers<void>();
  const memory: number[] = [];
  let resolutions = 0;
  deployment.local.onRequest(({ path, status }) => {
    if (status < 300 && /\/runs\/\d+\/(completed|failed|exception)$/.test(path)) {
      resolutions++;
      void worker.memory('VmRSS').then((mebibytes) => memory.push(mebibytes));
      if (resolutions === count) {
        resolved.resolve();
      }
    }
  });
  const started = performance.now();
  const taskIds = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      index % 2 === 0
        ? deployment.createTask({ command: ['sh', '-c', 'echo short'] })
        : deployment.createTask(
            {
              features: { taskclusterProxy: true },
              cache: { soak: '/cache' },
              command: [
                'sh',
                '-c',
                'touch /cache/$TASK_ID; curl -sf $TASKCLUSTER_PROXY_URL/api/auth/v1/ping',
              ],
            },
            { scopes: ['docker-worker:cache:soak'] },
          ),
    ),
  );
  await Promise.race([
    resolved.promise,
    worker.exited.then(() => Promise.reject(new Error('the worker has ended'))),
  ]);
  const seconds = (performance.now() - started) / 1000;
  worker.kill('SIGQUIT');
  await worker.exited;

  const { statuses } = await deployment.queue.statuses({ taskIds });
  const runs = statuses.map(({ status }: { status: { runs: { state: string }[] } }) =>
    status.runs.map(({ state }) => state).join(),
  );
  const once = runs.filter((states: string) => states === 'completed').length;
  const tenths = memory.filter((_, index) => (index + 1) % Math.ceil(count / 10) === 0);
  process.stderr.write(`memory on the way, MiB: ${tenths.map(Math.round).join(' ')}\n`);
  const early = median(memory.slice(count * warmedUp).slice(0, samples));
  const late = median(memory.slice(-samples));
  return [
    { what: 'tasks resolved once, as completed', figure: once, isGood: once === count },
    { what: 'resolutions that the queue took', figure: resolutions, isGood: resolutions === count },
    { what: 'seconds in all', figure: Math.round(seconds) },
    { what: 'memory of the worker after a third, MiB', figure: Math.round(early) },
    { what: 'memory of the worker at the end, MiB', figure: Math.round(late) },
    { what: 'drift, MiB', figure: Math.round(late - early), isGood: late - early < 20 },
  ];
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
