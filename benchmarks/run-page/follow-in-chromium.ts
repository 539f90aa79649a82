import type { Browser } from 'playwright-core';
import type { Follow } from './cost-of-run.ts';

/** Goes from the first page to the first task's, as a person does, and stays there. */
export function followInChromium(browser: Browser): Follow {
  return async (url, signal, onLines) => {
    const page = await browser.newPage({ viewport: { width: 1100, height: 700 } });
    await using _ = { [Symbol.asyncDispose]: () => page.close() };
    page.on('response', (response) => {
      if (response.url().includes('/log/lines?')) onLines();
    });
    await page.goto(url);
    await page.locator('#groups a').first().click();
    await page.locator('#tasks a').first().click();
    await page.locator('.row').first().waitFor();
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
  };
}
