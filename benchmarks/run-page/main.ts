import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { median } from '../median.ts';
import { browserMemory } from './browser-memory.ts';
import { lookAt } from './look-at.ts';

/**
 * What the page costs: how long `docker-worker run-task` takes for a task that prints 200 MB as fast as it can, and for one
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

const seconds = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const [name, script] of Object.entries(tasks)) {
    for (const contender of contenders) {
      const key = `${name} | ${contender}`;
      seconds.set(key, [...(seconds.get(key) ?? []), await secondsOf(script, contender)]);
    }
  }
}
console.log(`| ${rounds} rounds, medians | ${contenders.join(' | ')} |\n|---|---|---|---|`);
for (const name of Object.keys(tasks)) {
  const [base = 0, ...others] = contenders.map((contender) =>
    median(seconds.get(`${name} | ${contender}`) ?? []),
  );
  const cells = others.map(
    (value) => `${value.toFixed(2)} s, ${((value / base - 1) * 100).toFixed(1)} % more`,
  );
  console.log(`| ${name} | ${base.toFixed(2)} s | ${cells.join(' | ')} |`);
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

/** From the task's first line to its last, as standard output has them. */
async function secondsOf(script: string, contender: Contender): Promise<number> {
  const file = join(folder, 'task.json');
  const command = ['bash', '-c', `echo first; ${script}; echo last`];
  writeFileSync(file, JSON.stringify({ image: 'docker-worker/example-task', command, maxRunTime: 600 }));
  const page = contender === 'no page' ? [] : ['--page'];
  const child = spawn(process.execPath, [worker, 'run-task', file, ...page], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const leaving = new AbortController();
  createInterface(child.stderr).on('line', (line) => {
    const [, url] = /^page: (http\S+)$/.exec(line) ?? [];
    if (url !== undefined && contender === 'somebody follows') {
      void lookAt(url, leaving.signal);
    }
    if (line.startsWith('page: it stays')) {
      child.kill('SIGINT');
    }
  });
  let began = 0;
  let ended = 0;
  // Not line by line, which would be what is measured.
  for await (const chunk of child.stdout) {
    const text = (chunk as Buffer).toString('latin1');
    if (began === 0 && /^first$/m.test(text)) {
      began = performance.now();
    }
    if (/^last$/m.test(text)) {
      ended = performance.now();
    }
  }
  leaving.abort();
  return (ended - began) / 1000;
}
