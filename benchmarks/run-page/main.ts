import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { median } from '../median.ts';
import { browserMemory } from './browser-memory.ts';
import { lookAt } from './look-at.ts';

/**
 * What the page costs: how long `docker-worker run-task` takes, and how much of a processor, for a task that prints 200 MB as fast as it can, and for one
 * that prints a line each millisecond, without the page, with a page that nobody looks at, and with one that somebody follows.
 * Interleaved in one run; medians. Then the memory of Chromium with logs of two sizes.
 *
 *   npm run bench:run-page [-- ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 5);
const worker = join(import.meta.dirname, '../../packages/worker/dist/main.js');
const folder = mkdtempSync(join(tmpdir(), 'docker-worker-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

const tasks = {
  '200 MB at once': 'yes "a line of a build that says what it does" | head -c 200000000',
  'a line each millisecond': 'for i in $(seq 1 5000); do echo "line $i of a build"; sleep 0.001; done',
};
const contenders = ['no page', 'nobody looks', 'somebody follows'] as const;
type Contender = (typeof contenders)[number];

interface Cost {
  /** From the task's first line to its last, as standard output has them. */
  elapsed: number;
  /** Seconds of a processor, of the whole command but for its end. */
  processor: number;
}

const costs = new Map<string, Cost[]>();
for (let round = 0; round < rounds; round++) {
  for (const [name, script] of Object.entries(tasks)) {
    for (const contender of contenders) {
      const key = `${name} | ${contender}`;
      costs.set(key, [...(costs.get(key) ?? []), await costOf(script, contender)]);
    }
  }
}
console.log(`| ${rounds} rounds, medians | ${contenders.join(' | ')} |\n|---|---|---|---|`);
for (const name of Object.keys(tasks)) {
  for (const kind of ['elapsed', 'processor'] as const) {
    const values = contenders.map((contender) =>
      median((costs.get(`${name} | ${contender}`) ?? []).map((cost) => cost[kind])),
    );
    const base = values[0] ?? Number.NaN;
    const cells = values.map((value) => `${value.toFixed(2)} s (${(value / base).toFixed(2)})`);
    console.log(`| ${name}, ${kind} | ${cells.join(' | ')} |`);
  }
}
console.log(
  '\n| log | memory of the page in Chromium, MiB | at most, while it is read and searched |\n|---|---|---|',
);
for (const [name, bytes] of [
  ['1 KiB', 1024],
  ['1 GiB', 1024 ** 3],
] as const) {
  const { opened, most } = await browserMemory(join(folder, 'log'), bytes);
  console.log(`| ${name} | ${opened} | ${most} |`);
}

async function costOf(script: string, contender: Contender): Promise<Cost> {
  const file = join(folder, 'task.json');
  const command = ['bash', '-c', `echo first; ${script}; echo last`];
  writeFileSync(file, JSON.stringify({ image: 'docker-worker/example-task', command, maxRunTime: 600 }));
  const page = contender === 'no page' ? [] : ['--page'];
  const child = spawn(process.execPath, [worker, 'run-task', file, ...page], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const leaving = new AbortController();
  let looking: Promise<number> | undefined;
  createInterface(child.stderr).on('line', (line) => {
    const [, url] = /^page: (http\S+)$/.exec(line) ?? [];
    if (url !== undefined && contender === 'somebody follows') {
      looking = lookAt(url, leaving.signal);
    }
    if (line.startsWith('page: it stays')) {
      child.kill('SIGINT');
    }
  });
  let began = 0;
  let ended = 0;
  let processor = 0;
  // Not line by line, which would be what is measured.
  for await (const chunk of child.stdout) {
    const text = (chunk as Buffer).toString('latin1');
    if (began === 0 && /^first$/m.test(text)) {
      began = performance.now();
    }
    if (/^last$/m.test(text)) {
      ended = performance.now();
      processor = processorSeconds(child.pid);
    }
  }
  leaving.abort();
  const looks = (await looking) ?? 0;
  if (contender === 'somebody follows' && looks < 3) {
    throw new Error(`the page was looked at ${looks} times only`);
  }
  return { elapsed: (ended - began) / 1000, processor };
}

/** What a process has used, in user mode and in the kernel; the kernel counts in hundredths. */
function processorSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
