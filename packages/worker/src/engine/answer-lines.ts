import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The lines of an answer that the engine gives while it works. */
export function answerLines(answer: NodeJS.ReadableStream): AsyncIterable<string> {
  const lines = createInterface({ input: answer as Readable });
  // Whoever reads the lines is told of a failure; one that comes when nobody reads any more means nothing.
  for (const source of [answer, lines]) {
    source.on('error', () => {});
  }
  return lines;
}
