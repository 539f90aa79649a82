import type { Browser } from 'playwright-core';
import { median } from '../averages.ts';
import { type Ratio, ratioOfFollowing, ratioOfPage } from './cost-of-run.ts';
import { followByRequests } from './follow-by-requests.ts';
import { followInChromium } from './follow-in-chromium.ts';

/** Each prints in blocks that take about a quarter of a second. */
const tasks = {
  'as fast as it can':
    'for block in {1..150}; do yes "a line of a build that says what it does" | head -n 100000; echo block; done',
  'busy, a line each millisecond': `perl -e '${busyBuild()}'`,
};

/** Ratios of what runs cost, medians and every round. */
export async function costTables(browser: Browser, folder: string, rounds: number): Promise<string> {
  const comparisons: Record<string, (script: string) => Promise<Ratio>> = {
    'a page that nobody looks at, to none': (script) => ratioOfPage(script, folder),
    'followed from elsewhere, to not followed': (script) =>
      ratioOfFollowing(script, folder, followByRequests),
    'followed in Chromium here, to not followed': (script) =>
      ratioOfFollowing(script, folder, followInChromium(browser)),
  };
  const rows: string[] = [];
  for (const [comparison, measure] of Object.entries(comparisons)) {
    for (const [task, script] of Object.entries(tasks)) {
      const ratios: Ratio[] = [];
      for (let round = 0; round < rounds; round += 1) {
        ratios.push(await measure(script));
      }
      const cells = (['time', 'processor'] as const).map((kind) => cell(ratios.map((ratio) => ratio[kind])));
      rows.push(`| ${comparison} | ${task} | ${cells.join(' | ')} |`);
    }
  }
  return [
    "|  | the task prints | ratio of time: each round | ratio of the worker's processor time: each round |",
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function cell(ratios: number[]): string {
  return `${median(ratios).toFixed(3)}: ${ratios.map((ratio) => ratio.toFixed(3)).join(', ')}`;
}

/** Perl, of which one core is kept busy with the same sums each time. */
function busyBuild(): string {
  return [
    '$| = 1;',
    'for $block (1 .. 150) {',
    'for $line (1 .. 250) { $sum = 0; $sum += $_ * $line for (1 .. 20000); print "[$line] of a build: $sum\\n"; }',
    'print "block\\n"; }',
  ].join(' ');
}
