import { readdirSync, readFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { type PageSource, serveRunPages } from '@docker-worker/run-page';
import { chromium } from 'playwright-core';

const taskId = 'fN1SbArXTPSVFNUvaOlinQ';

/**
 * MiB that Chromium has in memory for the page of a run with a log of so many bytes: when it has been opened, and at most while
 * somebody scrolls, jumps and searches in it.
 */
export async function browserMemory(file: string, bytes: number): Promise<{ opened: number; most: number }> {
  await writeLog(file, bytes);
  await using pages = await serveRunPages(await sourceOf(file));
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  await using _ = { [Symbol.asyncDispose]: () => browser.close() };
  const page = await browser.newPage({ viewport: { width: 1100, height: 700 } });

  await page.goto(`${pages.url}tasks/${taskId}/0`);
  await page
    .locator('.row', { hasText: /line \d/ })
    .first()
    .waitFor();
  const opened = rendererMiB();
  let most = opened;
  const look = async () => {
    await page.waitForTimeout(30);
    most = Math.max(most, rendererMiB());
  };
  await page.locator('.lines').hover();
  for (let turn = 0; turn < 100; turn++) {
    await page.mouse.wheel(0, -400);
    await look();
  }
  for (let jump = 0; jump <= 100; jump++) {
    await page.evaluate(
      `{ const list = document.querySelector('.lines'); list.scrollTop = list.scrollHeight * ${jump / 100}; }`,
    );
    await look();
  }
  await page.getByRole('searchbox').fill('line 7');
  await page.getByRole('searchbox').press('Enter');
  await page.locator('.row.current').waitFor({ timeout: 120_000 });
  for (let next = 0; next < 50; next++) {
    await page.getByRole('button', { name: 'Next' }).click();
    await look();
  }
  return { opened, most };
}

async function writeLog(file: string, bytes: number): Promise<void> {
  await using handle = await open(file, 'w');
  let line = 0;
  for (let written = 0; written < bytes; ) {
    const lines = Array.from(
      { length: 10_000 },
      () => `line ${line++} \x1b[32mof a long build\x1b[0m with some words\n`,
    );
    const piece = Buffer.from(lines.join('')).subarray(0, bytes - written);
    written += (await handle.write(piece)).bytesWritten;
  }
}

async function sourceOf(path: string): Promise<PageSource> {
  const log = { path, bytes: (await stat(path)).size, ended: true, onGrowth: () => () => {} };
  return {
    onChange: () => () => {},
    run: async () => ({
      ...{ taskId, runId: 0, otherRuns: [], name: 'long', description: '', state: 'completed' },
      ...{ phases: [], hasLog: true, artifacts: [], scopes: [], definition: {}, actions: [] },
    }),
    log: async () => log,
  };
}

/** Of all the processes of Chromium in which pages run, each page of memory counted once. */
function rendererMiB(): number {
  const kilobytes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const isRenderer = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer');
        const rollup = isRenderer ? readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8') : '';
        return Number(/^Pss: +(\d+)/m.exec(rollup)?.[1] ?? 0);
      } catch {
        // It has ended meanwhile.
        return 0;
      }
    });
  return Math.round(kilobytes.reduce((sum, each) => sum + each, 0) / 1024);
}
