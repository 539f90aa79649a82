import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { median } from '../averages.ts';

/**
 * How long it takes from the command to the task's first line: `docker-worker run-task`, with and without a
 * sidecar, against `docker run` of the same image and command. Interleaved in one run; medians.
 *
 *   npm run bench:run-task [-- ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 10);
const image = 'docker-worker/example-task';
const command = ['bash', '-c', 'echo first line'];
const worker = join(import.meta.dirname, '../../packages/worker/dist/main.js');
const folder = mkdtempSync(join(tmpdir(), 'docker-worker-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

/** Lines that mark the end of a phase; the last one is the task's own. */
const phases = [
  ['process, engine, embedded Taskcluster, claim', /Task ID: /],
  ['network, container, sidecars', /=== Task Starting ===/],
  ['start of the container', /^first line/],
] as const;

const contenders = {
  'docker run': ['docker', 'run', '--rm', image, ...command],
  'docker run on a network of its own': ['bash', '-c', dockerRunOnNetwork()],
  'run-task': [process.execPath, worker, 'run-task', taskFile('plain', {})],
  'run-task with taskclusterProxy': [
    process.execPath,
    worker,
    'run-task',
    taskFile('proxy', { taskclusterProxy: true }),
  ],
};

const times = new Map<string, number[][]>();
for (let round = 0; round < rounds; round++) {
  for (const [name, argv] of Object.entries(contenders)) {
    times.set(name, [...(times.get(name) ?? []), await timeOf(argv)]);
  }
}
print();

function taskFile(name: string, features: object): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ image, command, maxRunTime: 60, features }));
  return file;
}

/** What a person would have to type to give one container the isolation that every task run has. */
function dockerRunOnNetwork(): string {
  return (
    'docker network create bench-$$ > /dev/null; ' +
    `docker run --rm --network bench-$$ ${image} bash -c 'echo first line'; docker network rm bench-$$ > /dev/null`
  );
}

/** Milliseconds from the start of the process to the end of each phase. */
async function timeOf(argv: string[]): Promise<number[]> {
  const started = performance.now();
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const ends: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const phase = phases.findIndex(([, pattern]) => pattern.test(line));
    if (phase >= 0) {
      ends[phase] = performance.now() - started;
    }
  }
  return ends;
}

function print(): void {
  const toFirstLine = (name: string) => median((times.get(name) ?? []).map((ends) => ends[2] ?? Number.NaN));
  const base = toFirstLine('docker run');
  console.log(`| ${rounds} rounds, medians | to the first line, ms | ratio |\n|---|---|---|`);
  for (const name of times.keys()) {
    console.log(`| ${name} | ${Math.round(toFirstLine(name))} | ${(toFirstLine(name) / base).toFixed(2)} |`);
  }
  console.log('\n| phase, ms | run-task | run-task with taskclusterProxy |\n|---|---|---|');
  phases.forEach(([phase], index) => {
    const cells = ['run-task', 'run-task with taskclusterProxy'].map((name) =>
      Math.round(median((times.get(name) ?? []).map((ends) => (ends[index] ?? 0) - (ends[index - 1] ?? 0)))),
    );
    console.log(`| ${phase} | ${cells.join(' | ')} |`);
  });
}
