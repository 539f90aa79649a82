import type { Browser } from 'playwright-core';
import { median } from '../median.ts';
import { type Contender, type Cost, contenders, costOf } from './cost-of-run.ts';

/** Each prints `first` before and `last` behind what is measured. */
const tasks = {
  '60 MB, as fast as it can':
    'echo first; yes "a line of a build that says what it does" | head -n 1400000; echo last',
  'busy for some seconds, a line each millisecond': `perl -e '${busyBuild()}'`,
};

/** Tables of what runs cost, medians and every round. */
export async function costTables(browser: Browser, folder: string, rounds: number): Promise<string> {
  const costs: { task: string; contender: Contender; cost: Cost }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [task, script] of Object.entries(tasks)) {
      // Another one is first each time.
      for (const index of contenders.keys()) {
        const contender = contenders[(round + index) % contenders.length] ?? 'no page';
        costs.push({ task, contender, cost: await costOf(script, { contender, browser, folder }) });
      }
    }
  }
  const rows = Object.keys(tasks).flatMap((task) =>
    (['run', 'printing', 'processor'] as const).map((kind) => {
      const cells = contenders.map((contender) => {
        const valuesOf = (each: Contender) =>
          costs.filter((one) => one.task === task && one.contender === each).map(({ cost }) => cost[kind]);
        const values = valuesOf(contender);
        const ratio = median(values) / median(valuesOf('no page'));
        const all = values.map((value) => value.toFixed(2)).join(', ');
        return `${median(values).toFixed(2)} (${ratio.toFixed(3)}): ${all}`;
      });
      return `| ${task}: ${meanings[kind]} | ${cells.join(' | ')} |`;
    }),
  );
  const head = `| seconds, medians of ${rounds} rounds (ratio): each round | ${contenders.join(' | ')} |`;
  return [head, `|${'---|'.repeat(contenders.length + 1)}`, ...rows].join('\n');
}

const meanings: Record<keyof Cost, string> = {
  run: 'from its claim until it is resolved',
  printing: 'from its first line to its last',
  processor: "processor time of the worker's process meanwhile",
};

/** Perl, of which one core is kept busy with the same sums each time. */
function busyBuild(): string {
  return [
    '$| = 1; print "first\\n";',
    'for $line (1 .. 5000) { $sum = 0; $sum += $_ * $line for (1 .. 20000); print "[$line] of a build: $sum\\n"; }',
    'print "last\\n";',
  ].join(' ');
}
