import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { browserTest, openBrowser, stateIs, terminalShows, typeLine } from '../testing/browser.ts';
import { startContainer, type TestContainer } from '../testing/container.ts';
import { startNetwork } from '../testing/network.ts';
import { startServer, type TestServer, type TestServerOptions } from '../testing/start-server.ts';

let container: TestContainer;
beforeAll(async () => {
  container = await startContainer();
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

function startWithPage(options: TestServerOptions = {}): Promise<TestServer> {
  return startServer(container.id, { withPage: true, ...options });
}

const pageOf = ({ port, secret }: TestServer) => `http://127.0.0.1:${port}/${secret}/`;

test('the page and its files say that nobody may keep them or frame them', async () => {
  await using server = await startWithPage();
  const page = await fetch(pageOf(server));

  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[^']{24}'; .*frame-ancestors 'none'$/,
  );
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  const other = (await (await fetch(pageOf(server))).text()).match(/content="([^"]{24})"/)?.[1];
  expect(await page.text()).not.toContain(other);
});

test('without the secret there is nothing', async () => {
  await using server = await startWithPage();
  const answers = await Promise.all(
    ['', 'shell.js', `${'A'.repeat(22)}/`, `${server.secret}/../`, `${server.secret}/main.js`].map((path) =>
      fetch(`http://127.0.0.1:${server.port}/${path}`),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
  const bare = await fetch(pageOf(server).slice(0, -1), { redirect: 'manual' });
  expect(bare.headers.get('location')).toBe(`/${server.secret}/`);
});

browserTest('a person types, sees the output, resizes and leaves', async () => {
  await using server = await startWithPage({
    page: { task: { taskId: 'fN1SbArXTPSVFNUvaOlinQ', runId: 0 }, endsAt: Date.now() + 3_600_000 },
  });
  await using browser = await openBrowser();
  const { page } = browser;
  await page.goto(pageOf(server));
  await stateIs(page, 'connected');
  await typeLine(page, 'echo sum-$((20+22)); printf "\\033[31mred\\033[0m\\n"');
  await terminalShows(page, 'sum-42');

  expect(await page.locator('#task-id').textContent()).toBe('fN1SbArXTPSVFNUvaOlinQ/0');
  expect(await page.locator('#remaining-time').textContent()).toMatch(/^(59:\d\d|1 h 00) min$/);
  const before = await columns();
  await page.setViewportSize({ width: 700, height: 500 });
  await typeLine(page, 'echo now-$(stty size | cut -d" " -f2)-columns');
  await terminalShows(page, /now-\d\d-columns/);
  const after = await columns();
  expect(after).toBeLessThan(before);

  await typeLine(page, 'exit 3');
  await stateIs(page, 'ended');
  expect(await page.locator('#notice-text').textContent()).toBe('The shell has ended with exit code 3.');
  await page.locator('#again').click();
  await stateIs(page, 'connected');
  expect(browser.complaints).toEqual([]);
  expect(browser.requests.every((url) => url.includes(`//127.0.0.1:${server.port}/${server.secret}/`))).toBe(
    true,
  );

  function columns(): Promise<number> {
    return page.evaluate("document.querySelector('.xterm-rows').clientWidth");
  }
});

browserTest('the network breaks and comes back: the same shell, with what it said meanwhile', async () => {
  await using server = await startWithPage();
  await using network = await startNetwork(server.port);
  await using browser = await openBrowser();
  const { page } = browser;
  await page.goto(`http://127.0.0.1:${network.port}/${server.secret}/`);
  await stateIs(page, 'connected');
  await typeLine(page, 'kept=yes; (sleep 1; echo meanwhile-$((1+1))) &');
  await terminalShows(page, 'kept=yes');

  network.cut();
  await stateIs(page, 'lost');
  network.mend();
  await stateIs(page, 'connected');

  await terminalShows(page, 'meanwhile-2');
  await typeLine(page, 'echo still-$kept');
  await terminalShows(page, 'still-yes');
  expect(server.sessions.count).toBe(1);

  // Whoever reloads comes back to the shell too.
  await page.reload();
  await stateIs(page, 'connected');
  await terminalShows(page, 'still-yes');
  expect(server.sessions.count).toBe(1);
});

browserTest('100,000 lines reach the terminal, and Ctrl+C ends what does not end', async () => {
  await using server = await startWithPage();
  await using browser = await openBrowser();
  const { page } = browser;
  await page.goto(pageOf(server));
  await stateIs(page, 'connected');
  await typeLine(page, 'seq 100000; echo all-$((1+1))-there');
  await terminalShows(page, 'all-2-there');
  await typeLine(page, 'sleep 1000');
  await page.keyboard.press('Control+C');
  await typeLine(page, 'echo back-$((1+2))');

  await terminalShows(page, 'back-3');
});

browserTest('text is copied and pasted, several lines at a time', async () => {
  await using server = await startWithPage();
  await using browser = await openBrowser({ permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = browser;
  await page.goto(pageOf(server));
  await stateIs(page, 'connected');
  await page.evaluate("navigator.clipboard.writeText('echo one-$((0+1))\\necho two-$((1+1))\\n')");
  await page.locator('#paste').click();
  // Pasted lines wait to be looked at before anything runs.
  await terminalShows(page, 'echo two-');
  await page.keyboard.press('Enter');
  await terminalShows(page, 'two-2');

  await page.locator('.xterm-rows').getByText('one-1').last().dblclick({ force: true });
  await page.keyboard.press('Control+Shift+C');

  expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^one/);
});

browserTest('on a phone everything fits and the missing keys are there', async () => {
  await using server = await startWithPage();
  await using browser = await openBrowser({
    viewport: { width: 390, height: 780 },
    hasTouch: true,
    isMobile: true,
    colorScheme: 'dark',
  });
  const { page } = browser;
  await page.goto(pageOf(server));
  await stateIs(page, 'connected');
  // What is to be interrupted must run by then: until it does, the signal is the shell's.
  await typeLine(page, "sh -c 'echo asleep-$((1+1)); exec sleep 1000'");
  await terminalShows(page, 'asleep-2');
  await page.locator('[data-key=control]').tap();
  await page.keyboard.type('c');
  await typeLine(page, 'echo tapped-$((1+1))');
  await terminalShows(page, 'tapped-2');
  await page.locator('[data-key=up]').tap();
  await page.keyboard.press('Enter');

  await terminalShows(page, /tapped-2.*tapped-2/s);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
  await page.locator('#theme').tap();
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light');
});
