import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { bridgeGateway } from '@docker-worker/worker';
import Docker from 'dockerode';
import taskcluster from 'taskcluster-client';
import { median } from '../averages.ts';

/**
 * How long it takes to save a container that wrote a layer of one GiB: the worker's feature dockerSave, from
 * the task's end until the artifact is uploaded, against `docker commit` and `docker save | gzip` by hand,
 * which uploads nothing. Interleaved in one run; medians, and the worker's peak memory.
 *
 *   npm run bench:docker-save [-- ROUNDS [MEBIBYTES]]
 */
const rounds = Number(process.argv[2] ?? 2);
const mebibytes = Number(process.argv[3] ?? 1024);
const image = 'docker-worker/example-task';
/** A program compresses about as most of what images hold. */
const fill = `yes /usr/local/bin/node | xargs cat 2>/dev/null | head --bytes=${mebibytes}M > /layer`;
const run = promisify(execFile);

await using resources = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'docker-worker-bench-'));
resources.defer(() => rm(folder, { recursive: true }));
const local = resources.use(await startLocalTaskcluster({ host: await bridgeGateway(new Docker()) }));
const queue = new taskcluster.Queue({ rootUrl: local.rootUrl, credentials: local.credentials });

interface Saved {
  seconds: number;
  artifactMebibytes: number;
  peakMebibytes?: number;
}

const results = new Map<string, Saved[]>();
const contenders: Record<string, () => Promise<Saved>> = {
  '`docker commit && docker save \\| gzip`': byHand,
  dockerSave: byWorker,
};
for (let round = 0; round < rounds; round++) {
  for (const [name, save] of Object.entries(contenders)) {
    results.set(name, [...(results.get(name) ?? []), await save()]);
  }
}
print();

async function byHand(): Promise<Saved> {
  const { stdout } = await run('docker', ['create', image, 'bash', '-c', fill]);
  const container = stdout.trim();
  const file = join(folder, 'image.tar.gz');
  try {
    await run('docker', ['start', '--attach', container]);
    const started = performance.now();
    await run('bash', [
      '-c',
      `docker commit ${container} bench-saved && docker save bench-saved | gzip > ${file}`,
    ]);
    return {
      seconds: (performance.now() - started) / 1000,
      artifactMebibytes: (await stat(file)).size / 2 ** 20,
    };
  } finally {
    await run('docker', ['rm', '--force', container]);
    await run('docker', ['rmi', 'bench-saved']);
    await rm(file, { force: true });
  }
}

/** A worker in a process of its own, for one task. */
async function byWorker(): Promise<Saved> {
  const config = join(folder, 'worker.json');
  const settings = {
    rootUrl: local.rootUrl,
    taskcluster: local.credentials,
    ...{ provisionerId: 'bench', workerType: 'docker-save', workerGroup: 'bench', workerId: 'bench' },
    warm: { units: 0 },
    capacityManagement: { diskspaceThreshold: 0 },
  };
  await writeFile(config, JSON.stringify(settings), { mode: 0o600 });
  const program = join(import.meta.dirname, '../../packages/worker/bin/docker-worker');
  const worker = spawn(program, ['start', '--config', config], { stdio: 'ignore' });
  const ended = new Promise((resolve) => worker.once('close', resolve));
  try {
    const taskId = taskcluster.slugid();
    await queue.createTask(taskId, definition());
    await resolved(taskId);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${worker.pid}/status`, 'utf8'));
    return { ...(await saved(taskId)), peakMebibytes: Number(peak?.[1]) / 1024 };
  } finally {
    worker.kill('SIGTERM');
    await ended;
  }
}

function definition(): object {
  return {
    taskQueueId: 'bench/docker-save',
    created: taskcluster.fromNowJSON('0 seconds'),
    deadline: taskcluster.fromNowJSON('1 hour'),
    expires: taskcluster.fromNowJSON('2 hours'),
    metadata: { name: 'b', description: 'b', owner: 'nobody@example.com', source: 'https://example.com' },
    payload: { image, maxRunTime: 600, command: ['bash', '-c', fill], features: { dockerSave: true } },
  };
}

/** The queue announces a resolution to nobody over HTTP. */
async function resolved(taskId: string): Promise<void> {
  for (;;) {
    const { status } = await queue.status(taskId);
    if (status.state === 'completed') {
      return;
    }
    if (status.state !== 'pending' && status.state !== 'running') {
      throw new Error(`the task was resolved as ${status.state}:\n${await logOf(taskId)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function saved(taskId: string): Promise<Saved> {
  const log = await logOf(taskId);
  const time = (mark: string) =>
    new Date(new RegExp(`^\\[taskcluster ([^\\]]+)\\] ${mark}`, 'm').exec(log)?.[1] ?? '').getTime();
  const seconds = (time('dockerSave: public/dockerImage.tar is uploaded') - time('=== Task Finished')) / 1000;
  const [, stored, unit] = / ([\d.]+) (MiB|GiB) as stored/.exec(log) ?? [];
  return { seconds, artifactMebibytes: Number(stored) * (unit === 'GiB' ? 1024 : 1) };
}

async function logOf(taskId: string): Promise<string> {
  return await (await fetch(queue.buildUrl(queue.getLatestArtifact, taskId, 'public/logs/live.log'))).text();
}

function print(): void {
  const medianOf = (name: string, key: keyof Saved) =>
    median((results.get(name) ?? []).map((each) => each[key] ?? Number.NaN));
  const [base = ''] = results.keys();
  console.log(
    `| ${rounds} rounds, medians | seconds | ratio | artifact, MiB | worker's peak, MiB |\n|---|---|---|---|---|`,
  );
  for (const name of results.keys()) {
    const seconds = medianOf(name, 'seconds');
    const peak = medianOf(name, 'peakMebibytes');
    const cells = [
      seconds.toFixed(1),
      (seconds / medianOf(base, 'seconds')).toFixed(2),
      Math.round(medianOf(name, 'artifactMebibytes')),
      Number.isNaN(peak) ? '–' : Math.round(peak),
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
