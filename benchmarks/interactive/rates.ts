import type { Talk } from './talk.ts';

/** Starts a command and gives its input and output. */
export type StartTalk = (command: string[]) => Promise<Talk>;

/** Megabytes each second, from the call to the last byte. */
export async function rateOf(talk: StartTalk, megabytes: number): Promise<number> {
  const bytes = megabytes * 1_000_000;
  const started = performance.now();
  const { output, end } = await talk(['head', '-c', String(bytes), '/dev/zero']);
  let read = 0;
  for await (const chunk of output) {
    read += chunk.length;
    if (read >= bytes) {
      break;
    }
  }
  const seconds = (performance.now() - started) / 1000;
  end();
  if (read !== bytes) {
    throw new Error(`${read} bytes came instead of ${bytes}`);
  }
  return megabytes / seconds;
}

/** Milliseconds from a line that is sent to its echo, one after another. */
export async function roundTripsOf(talk: StartTalk, echoes: number): Promise<number[]> {
  const { output, send, end } = await talk(['cat']);
  const times: number[] = [];
  for (let echo = 0; echo < echoes; echo++) {
    const started = performance.now();
    send('line\n');
    await output.next();
    times.push(performance.now() - started);
  }
  end();
  // The first ones find code that nobody has run yet.
  return times.slice(20);
}
