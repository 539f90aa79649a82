import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PageLog, type PageSource, serveRunPages } from '@docker-worker/run-page';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { GrowingLog } from './growing-log.ts';

const emptyTask = 'AAAAAAAAQAaAAAAAAAAAAA';
const taskId = 'fN1SbArXTPSVFNUvaOlinQ';

/** A table of what Chromium has in memory while somebody reads a log in a fresh one, beside the same page with an empty log. */
export async function browserMemory(
  browser: Browser,
  { folder, name, bytes }: { folder: string; name: string; bytes: number },
): Promise<string> {
  await using log = await GrowingLog.create(join(folder, 'log'));
  await using empty = await GrowingLog.create(join(folder, 'empty-log'));
  await log.grow(bytes);
  await using pages = await serveRunPages(sourceOf({ [taskId]: log, [emptyTask]: empty }));
  const page = await browser.newPage({ viewport: { width: 1100, height: 700 } });
  const memory = await Memory.of(browser, page);

  await page.goto(`${pages.url}tasks/${emptyTask}/0`);
  await page.locator('#connection[data-state=live]').waitFor();
  await page.locator('.lines').hover();
  const base = await memory.watch(() => wait(page, 3000));
  const rows = [base];
  for (const [what, use] of uses(page, `${pages.url}tasks/${taskId}/0`, log)) {
    rows.push({ ...(await memory.watch(use)), what });
  }
  const cells = rows.map(({ what = 'an empty log', most, heap, nodes }) =>
    [what, most, most - base.most, heap.toFixed(1), nodes].join(' | '),
  );
  return [
    `| a log of ${name} | renderers at most, MiB | growth, MiB | JS heap at most, MiB | DOM nodes at most |`,
    '|---|---|---|---|---|',
    ...cells.map((cell) => `| ${cell} |`),
  ].join('\n');
}

/** All that can be done with a log, one after the other in one page. */
function uses(page: Page, address: string, log: GrowingLog): [string, () => Promise<void>][] {
  const turns = async (count: number, turn: (each: number) => Promise<unknown>) => {
    for (let each = 0; each < count; each += 1) {
      await turn(each);
      await page.waitForTimeout(30);
    }
  };
  return [
    [
      'opened, at its end',
      async () => {
        await page.goto(address);
        await page
          .locator('.row', { hasText: /line \d/ })
          .first()
          .waitFor();
        await wait(page, 2000);
      },
    ],
    ['scrolled, 100 turns of the wheel', () => turns(100, () => page.mouse.wheel(0, -400))],
    [
      'scrolled through from end to end, 100 steps',
      () =>
        turns(101, (step) =>
          page.evaluate(
            `{ const list = document.querySelector('.lines'); list.scrollTop = list.scrollHeight * ${step / 100}; }`,
          ),
        ),
    ],
    [
      'searched, 50 of the lines found',
      async () => {
        await page.getByRole('searchbox').fill('line 7');
        await page.getByRole('searchbox').press('Enter');
        await page.locator('.row.current').waitFor({ timeout: 120_000 });
        await turns(50, () => page.getByRole('button', { name: 'Next' }).click());
      },
    ],
    [
      'followed, while it grows by 100 MiB',
      async () => {
        await page.getByRole('button', { name: 'Follow' }).click();
        await turns(200, () => log.grow(512 * 1024));
        await wait(page, 1000);
      },
    ],
  ];
}

interface Seen {
  what?: string;
  /** Of all renderers, MiB. */
  most: number;
  /** MiB. */
  heap: number;
  nodes: number;
}

/** What the renderers of one browser have, those that it keeps in reserve included, each page of memory counted once. */
class Memory {
  readonly #browser: CDPSession;
  readonly #page: CDPSession;

  static async of(browser: Browser, page: Page): Promise<Memory> {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    return new Memory(await browser.newBrowserCDPSession(), session);
  }

  constructor(browser: CDPSession, page: CDPSession) {
    this.#browser = browser;
    this.#page = page;
  }

  /** The most of all that is seen about every tenth of a second while something is done. */
  async watch(use: () => Promise<void>): Promise<Seen> {
    const seen: Seen[] = [];
    const using = use();
    const ended = using.then(
      () => true,
      () => true,
    );
    do {
      seen.push(await this.#now());
    } while (!(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100, false))])));
    await using;
    seen.push(await this.#now());
    const most = (kind: 'most' | 'heap' | 'nodes') => Math.max(...seen.map((each) => each[kind]));
    return { most: most('most'), heap: most('heap'), nodes: most('nodes') };
  }

  async #now(): Promise<Seen> {
    const [{ processInfo }, { metrics }] = await Promise.all([
      this.#browser.send('SystemInfo.getProcessInfo'),
      this.#page.send('Performance.getMetrics'),
    ]);
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => kibibytesOf(id));
    const metric = (name: string) => metrics.find((each) => each.name === name)?.value ?? Number.NaN;
    return {
      most: Math.round(renderers.reduce((sum, each) => sum + each, 0) / 1024),
      heap: metric('JSHeapUsedSize') / 1024 ** 2,
      nodes: metric('Nodes'),
    };
  }
}

function kibibytesOf(pid: number): number {
  try {
    return Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

function wait(page: Page, milliseconds: number): Promise<void> {
  return page.waitForTimeout(milliseconds);
}

function sourceOf(logs: Record<string, PageLog>): PageSource {
  return {
    onChange: () => () => {},
    run: async (id) => ({
      ...{ taskId: id, runId: 0, otherRuns: [], name: 'long', description: '', state: 'running' },
      ...{ phases: [], hasLog: true, artifacts: [], scopes: [], definition: {}, actions: [] },
    }),
    log: async (id) => logs[id],
  };
}
