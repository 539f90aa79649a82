import { existsSync } from 'node:fs';
import { test } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** A test with Debian's Chromium; skipped, with the reason printed, where it is not installed. */
export function browserTest(name: string, body: () => Promise<void>): void {
  if (existsSync(executablePath)) {
    test(name, body, 60_000);
  } else {
    process.stderr.write(
      `skipped, since ${executablePath} is missing ("apt-get install chromium"): ${name}\n`,
    );
    // biome-ignore lint/suspicious/noSkippedTests: a browser is no requirement of the repository
    test.skip(name, body);
  }
}

export interface BrowserPage extends AsyncDisposable {
  page: Page;
  /** Addresses of everything that the page has asked for. */
  requests: string[];
  /** What the page has complained of, breaches of its policy included. */
  complaints: string[];
}

export async function openBrowser(options: BrowserContextOptions = {}): Promise<BrowserPage> {
  const browser: Browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('websocket', (socket) => requests.push(socket.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // That a connection was lost is what some tests are about.
    if (message.type() === 'error' && !/WebSocket connection|ERR_/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  return { page, requests, complaints, [Symbol.asyncDispose]: () => browser.close() };
}

/** Waits until the terminal contains the text. */
export async function terminalShows(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('.xterm-rows').filter({ hasText: text }).waitFor();
}

/** Types a line as a person would. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

export async function stateIs(page: Page, state: string): Promise<void> {
  await page.locator(`#state[data-state=${state}]`).waitFor();
}
