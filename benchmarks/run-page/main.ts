import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { browserMemory } from './browser-memory.ts';
import { costTables } from './cost-tables.ts';

/**
 * What the page of a run costs. First the run: its time and the worker's with a page that nobody looks at, beside a run without one; then
 * with one whose log somebody follows, from another machine and in Chromium on this one, by turns with nobody. Then the memory of
 * Chromium with logs of two sizes.
 *
 *   npm run bench:run-page [-- ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'docker-worker-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const launch = async () => {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
};

if (rounds > 0) {
  await using browser = await launch();
  console.log(await costTables(browser, folder, rounds));
}
for (const [name, bytes] of [
  ['1 MiB', 1024 ** 2],
  ['1 GiB', 1024 ** 3],
] as const) {
  await using browser = await launch();
  console.log(`\n${await browserMemory(browser, { folder, name, bytes })}`);
}
