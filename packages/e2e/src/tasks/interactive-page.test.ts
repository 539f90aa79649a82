import {
  browserTest,
  openBrowser,
  stateIs,
  terminalShows,
  typeLine,
} from '@docker-worker/exec-ws-server/testing/browser';
import { startNetwork } from '@docker-worker/exec-ws-server/testing/network';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { shellLink } from '../harness/shell-link.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';
import { startTestWorker, type TestWorker } from '../harness/test-worker.ts';

/** Folder for pictures of the page, when somebody wants them. */
const pictures = process.env.DOCKER_WORKER_PICTURES;

let deployment: Deployment;
let worker: TestWorker;
let state: TempDir;
beforeAll(async () => {
  [deployment, state] = await Promise.all([startDeployment(), makeTempDir()]);
  worker = await startTestWorker(deployment, {
    stateDirectory: state.path,
    interactive: { minTime: 0, expirationAfterSession: 0, host: '127.0.0.1', address: '127.0.0.1' },
  });
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await deployment[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

const task = {
  features: { interactive: true },
  maxRunTime: 3600,
  command: ['bash', '-c', 'echo "made by the task" > /made; until [ -e /go ]; do sleep 0.1; done; exit 5'],
};

/** Lent to every task that people can log into. */
const busybox = '/.taskclusterutils/busybox';

const sizes = [
  { name: 'desktop', viewport: { width: 1100, height: 700 } },
  { name: 'phone', viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true },
];

browserTest(
  'a person works in a task from the page: types, watches top, resizes, loses the network, leaves',
  async () => {
    const taskId = await deployment.createTask(task);
    const link = new URL((await shellLink(deployment, worker, taskId)).page);
    await using network = await startNetwork(Number(link.port));
    link.port = String(network.port);
    await using browser = await openBrowser({ colorScheme: 'dark' });
    const { page } = browser;
    await page.goto(link.href);
    await stateIs(page, 'connected');
    expect(await page.locator('#task-id').textContent()).toBe(`${taskId}/0`);
    expect(await page.locator('#remaining-time').textContent()).toMatch(/^(59:\d\d|1 h 00) min$/);
    await typeLine(page, 'touch /go; cat /made; kept=yes');
    await terminalShows(page, 'made by the task');

    await typeLine(page, `${busybox} top`);
    await terminalShows(page, /PID .*COMMAND/i);
    await page.setViewportSize({ width: 600, height: 400 });
    await page.keyboard.press('q');
    await typeLine(page, 'echo size-$(stty size | tr " " x)-there');
    await terminalShows(page, /size-\d+x[4-7]\d-there/);

    network.cut();
    await stateIs(page, 'lost');
    network.mend();
    await stateIs(page, 'connected');
    await typeLine(page, 'echo still-$kept');
    await terminalShows(page, 'still-yes');
    expect((await deployment.queue.status(taskId)).status.state).toBe('running');

    await typeLine(page, 'exit 3');
    await stateIs(page, 'ended');
    expect(await page.locator('#notice-text').textContent()).toBe('The shell has ended with exit code 3.');
    expect(browser.complaints).toEqual([]);
    expect(browser.requests.every((url) => new URL(url).host === link.host)).toBe(true);
    expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'failed' }, exitCode: 5 });
  },
);

for (const { name, ...size } of sizes) {
  for (const colorScheme of ['light', 'dark'] as const) {
    browserTest(`on a ${name}, ${colorScheme}: nothing is cut off, and top fills the screen`, async () => {
      const taskId = await deployment.createTask(task);
      const { page: link } = await shellLink(deployment, worker, taskId);
      await using browser = await openBrowser({ ...size, colorScheme });
      const { page } = browser;
      await page.goto(link);
      await stateIs(page, 'connected');
      await typeLine(page, `ls --color=always /; ${busybox} top -n 1; echo shown-$((1+1))`);
      await terminalShows(page, 'shown-2');
      const { scrollWidth, innerWidth } = (await page.evaluate(
        '({ scrollWidth: document.documentElement.scrollWidth, innerWidth })',
      )) as { scrollWidth: number; innerWidth: number };
      if (pictures !== undefined) {
        await page.screenshot({ path: `${pictures}/shell-${name}-${colorScheme}.png` });
      }
      await typeLine(page, 'touch /go; exit');

      expect(scrollWidth).toBeLessThanOrEqual(innerWidth);
      expect(await worker.outcome(taskId)).toMatchObject({ exitCode: 5 });
    });
  }
}
