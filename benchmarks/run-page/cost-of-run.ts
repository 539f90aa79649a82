import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from 'playwright-core';
import { followByRequests } from './follow-by-requests.ts';
import { followInChromium } from './follow-in-chromium.ts';

export const contenders = [
  'no page',
  'nobody looks',
  'somebody follows from elsewhere',
  'somebody follows in Chromium here',
] as const;
export type Contender = (typeof contenders)[number];

/** Seconds. */
export interface Cost {
  /** From the task's claim until it is resolved, without the time for which it waits at first. */
  run: number;
  /** From the task's first line to its last, as standard output has them. */
  printing: number;
  /** Of a processor, meanwhile, by the worker, which serves the page too. */
  processor: number;
}

interface Surroundings {
  contender: Contender;
  browser: Browser;
  folder: string;
}

const worker = join(import.meta.dirname, '../../packages/worker/dist/main.js');
/** Whoever looks has come by then. */
const waitSeconds = 4;

/** Runs a task with `docker-worker run-task`. */
export async function costOf(script: string, { contender, browser, folder }: Surroundings): Promise<Cost> {
  const [file, report] = [join(folder, 'task.json'), join(folder, 'report.json')];
  const command = ['bash', '-c', `echo waiting; sleep ${waitSeconds}; ${script}`];
  writeFileSync(file, JSON.stringify({ image: 'docker-worker/example-task', command, maxRunTime: 120 }));
  const page = contender === 'no page' ? [] : ['--page'];
  const child = spawn(process.execPath, [worker, 'run-task', file, '--report', report, ...page], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const leaving = new AbortController();
  let following = Promise.resolve(0);
  createInterface(child.stderr).on('line', (line) => {
    const [, url] = /^page: (http\S+)$/.exec(line) ?? [];
    if (url !== undefined && contender === 'somebody follows from elsewhere') {
      following = followByRequests(url, leaving.signal);
    }
    if (url !== undefined && contender === 'somebody follows in Chromium here') {
      following = followInChromium(browser, url, leaving.signal);
    }
    if (line.startsWith('page: it stays')) {
      leaving.abort();
      following.finally(() => child.kill('SIGINT')).catch(() => {});
    }
  });
  const [began, ended] = await marks(child.stdout, () => ({
    at: performance.now() / 1000,
    processor: processorSeconds(child.pid),
  }));
  if (contender.startsWith('somebody') && (await following) < 5) {
    throw new Error(`the log was fetched ${await following} times only`);
  }
  const [{ seconds }] = JSON.parse(readFileSync(report, 'utf8')).tasks;
  return {
    run: seconds.image + seconds.sidecars + seconds.running + seconds.uploading - waitSeconds,
    printing: ended.at - began.at,
    processor: ended.processor - began.processor,
  };
}

/** What `look` gives when the line `first` comes, and when `last` does. Not read line by line, which would be what is measured. */
async function marks<Seen>(output: AsyncIterable<Buffer>, look: () => Seen): Promise<[Seen, Seen]> {
  let began: Seen | undefined;
  let ended: Seen | undefined;
  let rest = '';
  for await (const chunk of output) {
    const text = rest + chunk.toString('latin1');
    began ??= /^first$/m.test(text) ? look() : undefined;
    ended ??= /^last$/m.test(text) ? look() : undefined;
    // A mark may lie across two chunks.
    rest = text.slice(text.lastIndexOf('\n') + 1);
  }
  if (began === undefined || ended === undefined) {
    throw new Error('the task has not printed what it was to print');
  }
  return [began, ended];
}

/** What a process has used, in user mode and in the kernel; the kernel counts in hundredths. */
function processorSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
