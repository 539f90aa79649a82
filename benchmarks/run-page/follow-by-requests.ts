import { z } from 'zod';
import type { Follow } from './cost-of-run.ts';

const chunkLines = 200;
const visibleLines = 40;
const LogLength = z.object({ lines: z.number() });

/**
 * Asks for all that the page of the first task asks for while it follows a log, without a browser's own work: what somebody on
 * another machine costs this one.
 */
export const followByRequests: Follow = async (url, signal, onLines) => {
  const group = await linkOf(url, '/groups/');
  const { url: address } = await fetch(await linkOf(group, '/tasks/'));
  const events = await fetch(`${address}/events`, { signal });
  let fetching: Promise<unknown> | undefined;
  try {
    let isLog = false;
    for await (const line of linesOf(events)) {
      isLog = line === 'event: log' || (isLog && line.startsWith('data: '));
      if (!isLog || !line.startsWith('data: ') || fetching !== undefined) continue;
      const { lines } = LogLength.parse(JSON.parse(line.slice('data: '.length)));
      const chunks = new Set(
        [lines - visibleLines, lines - 1].map((at) => Math.floor(Math.max(0, at) / chunkLines)),
      );
      fetching = Promise.all([...chunks].map((chunk) => fetchChunk(address, chunk)))
        .then(onLines)
        .finally(() => {
          fetching = undefined;
        });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await fetching;
};

async function fetchChunk(address: string, chunk: number): Promise<void> {
  await (await fetch(`${address}/log/lines?from=${chunk * chunkLines}&count=${chunkLines}`)).text();
}

/** A link of the page, once it is there. */
async function linkOf(page: string, path: string): Promise<string> {
  for await (const line of linesOf(await fetch(`${page.replace(/\/$/, '')}/events`))) {
    const [, link] = new RegExp(`"href":"([^"]*${path}[^"]+)"`).exec(line) ?? [];
    if (link !== undefined) {
      return new URL(link, page).href;
    }
  }
  throw new Error(`${page} has no link to ${path}`);
}

async function* linesOf({ body }: Response): AsyncGenerator<string> {
  let rest = '';
  for await (const bytes of body ?? []) {
    const lines = (rest + Buffer.from(bytes).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
