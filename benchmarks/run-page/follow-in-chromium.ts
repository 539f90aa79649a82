import type { Browser } from 'playwright-core';

/**
 * Goes from the first page to the first task's, as a person does, and follows its log until the signal aborts.
 * Gives how often lines have been fetched.
 */
export async function followInChromium(browser: Browser, url: string, signal: AbortSignal): Promise<number> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 700 } });
  await using _ = { [Symbol.asyncDispose]: () => page.close() };
  let fetched = 0;
  page.on('response', (response) => {
    fetched += response.url().includes('/log/lines?') ? 1 : 0;
  });
  await page.goto(url);
  await page.locator('#groups a').first().click();
  await page.locator('#tasks a').first().click();
  await page.locator('.row', { hasText: 'waiting' }).first().waitFor();
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
  await page.locator('.row', { hasText: 'Successful task run' }).first().waitFor();
  return fetched;
}
