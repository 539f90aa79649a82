import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrowserPage, browserTest, openBrowser } from '@docker-worker/exec-ws-server/testing/browser';
import { afterEach, beforeEach, expect } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import { Command } from '../harness/command.ts';
import { startDeployment } from '../harness/deployment.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';
import { writeConfig } from '../harness/write-config.ts';

type Page = BrowserPage['page'];

/** Folder for pictures of the pages, when somebody wants them. */
const pictures = process.env.DOCKER_WORKER_PICTURES;
const phone = { width: 390, height: 780 };

let folder: TempDir;
beforeEach(async () => {
  folder = await makeTempDir();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

interface Pages extends AsyncDisposable {
  command: Command;
  /** Of the first page. */
  url: string;
}

/** Runs tasks with a page. */
async function runWithPage(tasks: object[]): Promise<Pages> {
  const file = join(folder.path, 'tasks.json');
  await writeFile(file, JSON.stringify(tasks));
  const command = new Command(['run-task', file, '--page']);
  const [, url = ''] = await command.printed(/page: (http:\S+)/);
  return { command, url, [Symbol.asyncDispose]: () => command[Symbol.asyncDispose]() };
}

function task(name: string, script: string, more: object = {}, payload: object = {}): object {
  return {
    metadata: { name, description: 'a test', owner: 'nobody@example.com', source: 'https://example.com/' },
    payload: {
      ...{ image: 'docker-worker/example-task', maxRunTime: 60, command: ['bash', '-c', script] },
      ...payload,
    },
    ...more,
  };
}

/** From the overview to a task of the first group. */
async function openTask(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url);
  await page.locator('#groups a').first().click();
  await page.locator('#tasks').getByRole('link', { name }).click();
}

async function stateIs(page: Page, state: string): Promise<void> {
  await page.locator(`#state .state.${state}`).waitFor();
}

async function logShows(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('.row').filter({ hasText: text }).first().waitFor();
}

/** What a person who cannot see or point would stumble over, of what is on the page now. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) {
    await page.screenshot({ path: join(pictures, `${name}.png`) });
  }
}

const hostile = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>';

browserTest(
  'a progress bar is followed live, and nothing that a task says, names or leaves is ever markup',
  async () => {
    const script = `
    echo '${hostile}'
    printf '\\033[1;32m== Build ==\\033[0m\\n'
    for each in $(seq 1 300); do printf '\\033[36m[%3d/300]\\033[0m compiling part-%d.c\\n' $each $each; done
    mkdir /tmp/out
    echo '<h1>Report</h1>${hostile}<meta http-equiv=refresh content="0;url=/">' > /tmp/out/report.html
    echo '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90" onload="window.broken=1"><script>window.broken=1</script><circle cx="45" cy="45" r="40" fill="teal"/></svg>' > /tmp/out/picture.svg
    echo plain > '/tmp/out/<b onclick=x>.txt'
    for each in $(seq 0 100); do
      printf '\\rlinking %3d %% [%-50s]' $each "$(printf '%*s' $((each / 2)) '' | tr ' ' '#')"; sleep 0.03
    done
    echo; echo built`;
    const artifacts = { 'public/out': { type: 'directory', path: '/tmp/out' } };
    await using run = await runWithPage([
      task(`build ${hostile}`, script, { scopes: ['secrets:get:*'] }, { artifacts }),
    ]);
    await using browser = await openBrowser({ colorScheme: 'light' });
    const { page } = browser;
    await openTask(page, run.url, 'build');

    await logShows(page, /linking {1,3}[1-9]\d* % \[#/);
    await stateIs(page, 'completed');
    await logShows(page, 'Successful task run');
    await logShows(page, /^\d+linking 100 % \[#{50}\]$/);
    expect(await page.locator('.time-line [data-phase=running] .seconds').textContent()).toMatch(/\d s$/);

    // A line can be found, and pointed to.
    await page.getByRole('searchbox').fill('ONERROR');
    await page.getByRole('searchbox').press('Enter');
    await page.locator('.row.current', { hasText: hostile }).waitFor();
    expect(await page.locator('output').textContent()).toBe('1 of 1 lines');
    await page.goto(`${page.url().split('#')[0]}#L120`);
    await page.reload();
    await page.locator('.row.marked', { hasText: /^120/ }).waitFor();
    await page.getByRole('button', { name: 'Follow' }).click();
    await logShows(page, 'Successful task run');

    for (const name of ['report.html', 'picture.svg', '<b onclick=x>.txt']) {
      await page.getByLabel(`Open here: public/out/${name}`).click();
    }
    await page
      .frameLocator('iframe[title$="report.html"]')
      .getByRole('heading', { name: 'Report' })
      .waitFor();
    await page.frameLocator('iframe[title$=".txt"]').getByText('plain').waitFor();
    await page.frameLocator('iframe[title$=".svg"]').locator('circle').waitFor();
    expect(await page.evaluate('window.broken')).toBeUndefined();
    expect(await barriers(page)).toEqual([]);
    // Without JavaScript there are the state, the log and the artifacts.
    await using plain = await openBrowser({ javaScriptEnabled: false });
    await openTask(plain.page, run.url, 'build');
    await stateIs(plain.page, 'completed');
    await plain.page.getByRole('link', { name: 'public/out/report.html' }).waitFor();
    await plain.page.getByRole('link', { name: 'Raw' }).click();
    await plain.page.getByText('Successful task run').waitFor();

    // The browser's own words about what it has not let run.
    const refused = /Blocked script execution|Content Security Policy|sandboxed/;
    expect(browser.complaints.filter((text) => !refused.test(text))).toEqual([]);
    expect(browser.requests.every((url) => new URL(url).host === new URL(run.url).host)).toBe(true);
  },
);

browserTest('a group is seen as a graph; tasks are cancelled and run again from the page', async () => {
  const ids = ['AAAAAAAAQAaAAAAAAAAAAQ', 'AAAAAAAAQAaAAAAAAAAAAg', 'AAAAAAAAQAaAAAAAAAAAAw'];
  const [build, lint, unit] = ids;
  const tests = `
    printf '\\033[1;32m== Tests ==\\033[0m\\n'
    for each in $(seq 1 40); do printf '\\033[36m[%2d/40]\\033[0m part-%d: \\033[32mpassed\\033[0m in 0.%d s\\n' $each $each $each; done
    printf '\\033[33mwarning:\\033[0m part-7 is slow\\n'
    for each in $(seq 0 62); do
      printf '\\rcoverage %3d %% [%-50s]' $each "$(printf '%*s' $((each / 2)) '' | tr ' ' '#')"; sleep 0.03
    done
    sleep 100`;
  await using run = await runWithPage([
    { taskId: build, ...task('build', 'echo built') },
    { taskId: lint, ...task('lint', 'echo no such file >&2; exit 3') },
    {
      taskId: unit,
      ...task('test', tests, { dependencies: [build], scopes: ['docker-worker:cache:checkouts'] }),
    },
    task('publish', 'echo published', { dependencies: [unit, lint] }),
  ]);
  await using browser = await openBrowser({ colorScheme: 'dark' });
  const { page } = browser;
  await page.goto(run.url);
  await page.locator('#groups a').first().click();
  await page.locator('#graph a.task.failed', { hasText: 'lint' }).waitFor();
  await page.locator('#graph a.task.running', { hasText: 'test' }).waitFor();
  expect(await page.locator('#graph .needs').count()).toBe(3);
  await picture(page, 'page-group-dark');
  expect(await barriers(page)).toEqual([]);

  await page.locator('#tasks').getByRole('link', { name: 'test' }).click();
  await logShows(page, 'coverage  62 %');
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 1100, height: 860 });
    await logShows(page, 'coverage  62 %');
    await picture(page, `page-run-${colorScheme}`);
    expect(await barriers(page)).toEqual([]);
  }
  await page.getByRole('link', { name: 'Group' }).click();
  await page.getByRole('button', { name: 'Cancel: test' }).click();
  await stateIs(page, 'exception');
  expect(await page.locator('.advice').textContent()).toContain('Somebody cancelled it');
  await logShows(page, 'Task has been canceled');
  await page.getByRole('link', { name: 'Group' }).click();
  await page.getByRole('button', { name: 'Run again: lint' }).click();
  await page.getByRole('link', { name: 'run 0' }).waitFor();
  await stateIs(page, 'failed');
  await logShows(page, 'no such file');

  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(phone);
    await logShows(page, 'exit code: 3');
    await picture(page, `page-phone-${colorScheme}`);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(phone.width);
    expect(await barriers(page)).toEqual([]);
  }
  run.command.kill('SIGINT');
  expect(await run.command.exited).not.toBe(0);
  await page.locator('#connection[data-state=lost]').waitFor();
});

browserTest('operators see a worker and the runs that it has', async () => {
  await using deployment = await startDeployment();
  const config = await writeConfig(folder.path, deployment, { capacity: 2 });
  await using worker = new Command(['start', '--config', config]);
  const [, port] = await worker.printed(/"port":(\d+),"type":"status is served"/);
  await using browser = await openBrowser({ colorScheme: 'light' });
  const { page } = browser;
  await page.goto(`http://127.0.0.1:${port}/status`);
  await page.getByText('2 of 2 are free').waitFor();

  const failing = await deployment.createTask({ command: ['false'] });
  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: ['sh', '-c', 'echo under way; sleep 100'],
  });

  await page.getByText('1 of 2 are free').waitFor();
  await page.locator('#slots .time-line [data-phase=running]:not([data-until])').waitFor();
  await page.locator('#problems', { hasText: `${failing} run 0: failed` }).waitFor();
  await page.locator('#images', { hasText: 'docker-worker/example-task' }).waitFor();
  await picture(page, 'page-worker-light');
  expect(await barriers(page)).toEqual([]);
  expect(await page.content()).not.toContain(deployment.local.credentials.accessToken);
  await page.locator('#slots').getByRole('link', { name: 'e2e' }).click();
  await logShows(page, 'under way');
  expect(await barriers(page)).toEqual([]);
  // From here on the page may ask for what has just gone.
  expect(browser.complaints).toEqual([]);
  await deployment.queue.cancelTask(taskId);
  worker.kill('SIGTERM');
  await page.locator('#connection[data-state=lost]').waitFor();
  await worker.exited;
});
