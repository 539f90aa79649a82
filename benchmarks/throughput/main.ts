import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { endCommandsWithThis } from '../../packages/e2e/src/harness/command.ts';
import { makeTempDir } from '../../packages/e2e/src/harness/temp-dir.ts';
import { SoakedWorker } from '../../packages/e2e/src/soak/soaked-worker.ts';
import { startWatchedDeployment } from '../../packages/e2e/src/soak/watched-deployment.ts';
import { median } from '../averages.ts';
import { engineCalls } from './engine-calls.ts';

/**
 * Tasks back to back: so many tasks `true` on one worker, plain and with `taskclusterProxy`, against as many containers by hand at
 * the same concurrency: `docker run --rm`; the same on networks that are there, which is the least that a task takes that shares no
 * network with others; and two of them on a network made for them, the least that a task with a sidecar takes. Interleaved in one run; medians of the seconds a task, the worker's processor time for each task and its peak memory.
 *
 *   npm run bench:throughput [-- ROUNDS [TASKS [CAPACITY...]]]
 *
 * Or what the worker asks the engine for while it runs such tasks:
 *
 *   npm run bench:throughput -- calls [TASKS [CAPACITY]]
 */
endCommandsWithThis();
const mode = process.argv[2] === 'calls' ? 'calls' : 'compare';
const numbers = process.argv.slice(mode === 'calls' ? 3 : 2).map(Number);
const [rounds = 3, tasks = 60, ...capacities] = mode === 'calls' ? [1, ...numbers] : numbers;
const image = 'docker-worker/example-task';
const clockTicksPerSecond = 100;
const run = promisify(execFile);

interface Measured {
  millisecondsEach: number;
  cpuMillisecondsEach?: number;
  peakMebibytes?: number;
}

type Contender =
  | '`docker run --rm`'
  | 'the same, each on a network that is there'
  | 'worker, plain'
  | 'pair on a network'
  | 'worker, `taskclusterProxy`';
/** Each with what it is compared to. */
const contenders: Record<Contender, { base: Contender; measure(capacity: number): Promise<Measured> }> = {
  '`docker run --rm`': { base: '`docker run --rm`', measure: byHand(dockerRun) },
  'the same, each on a network that is there': { base: '`docker run --rm`', measure: onNetworks },
  'worker, plain': { base: '`docker run --rm`', measure: byWorker({}) },
  'pair on a network': { base: 'pair on a network', measure: byHand(pairOnNetwork) },
  'worker, `taskclusterProxy`': { base: 'pair on a network', measure: byWorker({ taskclusterProxy: true }) },
};

if (mode === 'calls') {
  const [capacity = 1] = capacities;
  for (const features of [{}, { taskclusterProxy: true }]) {
    console.log(`\n${tasks} tasks at capacity ${capacity}, features ${JSON.stringify(features)}\n`);
    console.log(await engineCalls(tasks, capacity, features));
  }
  process.exit();
}

for (const capacity of capacities.length > 0 ? capacities : [1, 4, 16]) {
  const results = new Map<Contender, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(contenders) as Contender[]) {
      const measured = await contenders[name].measure(capacity);
      results.set(name, [...(results.get(name) ?? []), measured]);
    }
  }
  print(capacity, results);
}

/** So many times, `capacity` of them at once. */
function byHand(one: (slot: number) => Promise<unknown>) {
  return async (capacity: number): Promise<Measured> => {
    let left = tasks;
    const started = performance.now();
    const work = async (slot: number) => {
      while (left-- > 0) await one(slot);
    };
    await Promise.all(Array.from({ length: capacity }, (_, slot) => work(slot)));
    return { millisecondsEach: (performance.now() - started) / tasks };
  };
}

function dockerRun(): Promise<unknown> {
  return run('docker', ['run', '--rm', image, 'true']);
}

async function onNetworks(capacity: number): Promise<Measured> {
  const networks = await Promise.all(Array.from({ length: capacity }, createNetwork));
  try {
    return await byHand((slot) =>
      run('docker', ['run', '--rm', `--network=${networks[slot]}`, image, 'true']),
    )(capacity);
  } finally {
    await run('docker', ['network', 'rm', ...networks]);
  }
}

async function createNetwork(): Promise<string> {
  const { stdout } = await run('docker', ['network', 'create', `bench-${crypto.randomUUID()}`]);
  return stdout.trim();
}

async function pairOnNetwork(): Promise<void> {
  const id = await createNetwork();
  const network = `--network=${id}`;
  const sidecar = await run('docker', ['run', '--detach', network, image, 'sleep', '60']);
  await run('docker', ['run', '--rm', network, image, 'true']);
  await run('docker', ['rm', '--force', sidecar.stdout.trim()]);
  await run('docker', ['network', 'rm', id]);
}

/** From the first claim until the last task is resolved, by a process as deployments run it. */
function byWorker(features: object) {
  return async (capacity: number): Promise<Measured> => {
    await using deployment = await startWatchedDeployment();
    await using folder = await makeTempDir();
    await using worker = await SoakedWorker.start(folder.path, deployment, { capacity });
    await worker.printed(/"eventType":"workerReady"/);
    const before = await cpuMilliseconds(worker);
    const started = performance.now();
    for (let task = 0; task < tasks; task += 1) {
      await deployment.createTask({ command: ['true'], features });
    }
    await deployment.resolved(tasks);
    return {
      millisecondsEach: (performance.now() - started) / tasks,
      cpuMillisecondsEach: ((await cpuMilliseconds(worker)) - before) / tasks,
      peakMebibytes: await worker.memory('VmHWM'),
    };
  };
}

/** Processor time of the worker's process until now. */
async function cpuMilliseconds(worker: SoakedWorker): Promise<number> {
  const fields =
    (await readFile(`/proc/${worker.process.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond) * 1000;
}

function print(capacity: number, results: Map<Contender, Measured[]>): void {
  const each = (name: Contender) => (results.get(name) ?? []).map(({ millisecondsEach }) => millisecondsEach);
  console.log(
    `\n| capacity ${capacity}, ${tasks} tasks | ms a task | ratio | CPU of the worker, ms a task | its peak, MiB | all rounds, ms a task |`,
  );
  console.log('|---|---|---|---|---|---|');
  for (const [name, measured] of results) {
    const cells = [
      Math.round(median(each(name))),
      (median(each(name)) / median(each(contenders[name].base))).toFixed(2),
      figure(measured.map(({ cpuMillisecondsEach }) => cpuMillisecondsEach)),
      figure(measured.map(({ peakMebibytes }) => peakMebibytes)),
      each(name).map(Math.round).join(', '),
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

function figure(values: (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? '' : String(Math.round(median(known)));
}
