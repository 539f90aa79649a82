import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';

/** Changes that come within it are told together. The first is told at once; a log that grows is read with the eyes. */
const pauseMs = 500;

export interface ServerEvent {
  name: string;
  data: unknown;
}

export interface EventFeed {
  /** Wakes the stream when something may have changed, until the returned function is called. */
  subscribe(wake: () => void): () => void;
  /** What is new since it was last asked. */
  news(): Promise<ServerEvent[]>;
}

/**
 * Tells a browser of changes by server-sent events, until it goes. One that reads slowly is told less often, and never of
 * anything that is not so any more.
 */
export async function sendEvents(response: ServerResponse, { subscribe, news }: EventFeed): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { signal } = gone;
  let isStale = true;
  let wake = () => {};
  const unsubscribe = subscribe(() => {
    isStale = true;
    wake();
  });
  signal.addEventListener('abort', () => wake());
  try {
    while (!signal.aborted) {
      isStale = false;
      const text = (await news()).map(eventText).join('');
      if (text !== '' && !signal.aborted && !response.write(text)) {
        await once(response, 'drain', { signal });
      }
      if (!isStale && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      await setTimeout(pauseMs, undefined, { signal });
    }
  } catch {
    // The reader has left, or there is nothing to tell any more: it asks again.
    response.destroy();
  } finally {
    unsubscribe();
  }
}

function eventText({ name, data }: ServerEvent): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
