import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { TaskLog } from '../../../log/task-log.ts';

const lineFeed = 0x0a;

/**
 * Copies a log to a stream while it grows, byte for byte. With a prefix it goes line by line, so that the
 * lines of several logs on one stream stay whole.
 */
export async function printLog(log: Pick<TaskLog, 'read'>, output: Writable, prefix = ''): Promise<void> {
  const start = Buffer.from(prefix);
  let unfinished = Buffer.alloc(0);
  for await (const chunk of log.read()) {
    if (prefix === '') {
      await write(output, chunk);
      continue;
    }
    const text = Buffer.concat([unfinished, chunk]);
    const end = text.lastIndexOf(lineFeed) + 1;
    unfinished = text.subarray(end);
    await write(output, prefixed(text.subarray(0, end)));
  }
  await write(output, unfinished.length > 0 ? Buffer.concat([start, unfinished]) : unfinished);

  /** Whole lines, each with the prefix. */
  function prefixed(lines: Buffer): Buffer {
    const parts: Buffer[] = [];
    for (let from = 0; from < lines.length; ) {
      const to = lines.indexOf(lineFeed, from) + 1;
      parts.push(start, lines.subarray(from, to));
      from = to;
    }
    return Buffer.concat(parts);
  }
}

async function write(output: Writable, bytes: Buffer): Promise<void> {
  if (bytes.length > 0 && !output.write(bytes)) {
    await once(output, 'drain');
  }
}
