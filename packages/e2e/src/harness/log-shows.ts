import type { Run } from '@docker-worker/worker';

/** Waits until a run's log contains the text, and returns it up to there; throws when the log ends before. */
export async function logShows({ log }: Run, text: string): Promise<string> {
  let read = '';
  for await (const chunk of log.read()) {
    read += chunk;
    if (read.includes(text)) {
      return read;
    }
  }
  throw new Error(`the log has ended without ${JSON.stringify(text)}:\n${read}`);
}
