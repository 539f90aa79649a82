/**
 * Follows the first task of a page as its script does, until the signal aborts or the page is gone: waits until there is one,
 * hears of its log, and fetches the last lines of that each time. Gives how often it has.
 */
export async function lookAt(url: string, signal: AbortSignal): Promise<number> {
  let looks = 0;
  try {
    const group = await found(url, /href="(\/[^"]+\/groups\/[^"]+)"/, signal);
    const task = await found(group, /href="(\/[^"]+\/tasks\/[^"]+\/0)"/, signal);
    for await (const event of eventsOf(`${task}/events`, signal)) {
      const [, data = '{}'] = /^event: log\ndata: (.*)$/.exec(event) ?? [];
      const { lines } = JSON.parse(data) as { lines?: number };
      if (lines !== undefined) {
        // Whole chunks, as the script has them.
        const from = Math.floor(Math.max(0, lines - 40) / 200) * 200;
        await (await fetch(`${task}/log/lines?from=${from}&count=200`, { signal })).text();
        looks += 1;
      }
    }
  } catch {
    // The page is gone.
  }
  return looks;
}

/** The address that a page leads to, once it does. */
async function found(url: string, link: RegExp, signal: AbortSignal): Promise<string> {
  const { origin } = new URL(url);
  for (;;) {
    const [, path] = link.exec(await (await fetch(url, { signal })).text()) ?? [];
    if (path !== undefined) {
      return `${origin}${path}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function* eventsOf(url: string, signal: AbortSignal): AsyncGenerator<string> {
  const { body } = await fetch(url, { signal });
  let rest = '';
  for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
    const events = `${rest}${Buffer.from(bytes).toString()}`.split('\n\n');
    rest = events.pop() ?? '';
    yield* events;
  }
}
