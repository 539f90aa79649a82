import taskcluster from 'taskcluster-client';
import { startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { Finding } from './finding.ts';
import { SoakedWorker } from './soaked-worker.ts';

/** Long enough that a busy machine loses none; renewed every tenth of a second. */
const claimSeconds = 10;
const renewalsOfClaim = 100;
/** Until here the worker still grows to its usual size. */
const warmedUp = 1 / 3;
const mebibyte = 1024 * 1024;

/** One run whose claim is renewed so many times, with a service that gets the credentials of each and a log that is masked. */
export async function soakRenewals(count: number): Promise<Finding[]> {
  await using deployment = await startDeployment({ claimSeconds });
  await using folder = await makeTempDir();
  await using worker = await SoakedWorker.start(folder.path, deployment, {
    task: { reclaimDivisor: renewalsOfClaim },
  });
  const [, port = ''] = await worker.printed(/"port":(\d+),"type":"status is served"/);
  const samples: Sample[] = [];
  const renewed = Promise.withResolvers<void>();
  let renewals = 0;
  deployment.local.onRequest(({ path, status }) => {
    if (status < 300 && path.endsWith('/reclaim') && ++renewals % Math.ceil(count / 30) === 0) {
      void sample(worker, port).then((one) => {
        samples.push(one);
        process.stderr.write(`${renewals} renewals: ${JSON.stringify(one)}\n`);
      });
    }
    if (renewals === count) {
      renewed.resolve();
    }
  });
  const started = performance.now();
  const taskId = await deployment.createTask(
    {
      maxRunTime: 6 * 3600,
      features: { taskclusterProxy: true },
      // Only the newest credentials still read it.
      command: [
        'sh',
        '-c',
        'until curl -sf "$TASKCLUSTER_PROXY_URL/api/secrets/v1/secret/soak%2Fdone"; do echo still here; sleep 1; done',
      ],
    },
    {
      scopes: ['secrets:get:soak/done'],
      deadline: taskcluster.fromNowJSON('6 hours'),
      expires: taskcluster.fromNowJSON('7 hours'),
    },
  );
  await renewed.promise;
  const seconds = (performance.now() - started) / 1000;
  const secret = { secret: { done: true }, expires: taskcluster.fromNowJSON('1 hour') };
  await deployment.secrets.set('soak/done', secret);
  await worker.printed(new RegExp(`"taskId":"${taskId}".*"type":"task resolved"`));
  const { status } = await deployment.queue.status(taskId);
  worker.kill('SIGQUIT');
  await worker.exited;

  const usual = samples.slice(Math.floor(samples.length * warmedUp));
  const [early, late] = [usual.slice(0, 5), usual.slice(-5)].map((some) =>
    median(some.map(({ rss }) => rss)),
  );
  const drift = Math.round((late ?? Number.NaN) - (early ?? Number.NaN));
  const longestTurn = Math.max(...usual.map(({ lagMs }) => lagMs));
  const files = usual.map(({ openFiles }) => openFiles);
  return [
    { what: 'renewals', figure: renewals },
    { what: 'seconds', figure: Math.round(seconds) },
    {
      what: 'run completed',
      figure: status.state === 'completed' ? 1 : 0,
      isGood: status.state === 'completed',
    },
    { what: 'memory of the worker after a third, MiB', figure: Math.round(early ?? Number.NaN) },
    { what: 'memory of the worker at the end, MiB', figure: Math.round(late ?? Number.NaN) },
    { what: 'drift, MiB', figure: drift, isGood: drift < 20 },
    {
      what: 'longest time that the event loop was late after a third, ms (10 when it is idle)',
      figure: Math.round(longestTurn),
    },
    {
      what: 'most open files',
      figure: Math.max(...files),
      isGood: Math.max(...files) - Math.min(...files) < 20,
    },
  ];
}

interface Sample {
  /** MiB. */
  rss: number;
  /** In use, MiB. */
  heap: number;
  /** The longest since the sample before. */
  lagMs: number;
  openFiles: number;
}

async function sample(worker: SoakedWorker, port: string): Promise<Sample> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return {
    rss: Math.round(await worker.memory('VmRSS')),
    heap: Math.round(figure('nodejs_heap_size_used_bytes') / mebibyte),
    lagMs: Math.round(figure('nodejs_eventloop_lag_max_seconds') * 1000),
    openFiles: figure('process_open_fds'),
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
