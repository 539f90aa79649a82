import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { TaskLog } from '../../log/task-log.ts';

/** Copies a log to a stream while it grows, byte for byte or with a prefix on every line. */
export async function printLog(log: TaskLog, output: Writable, prefix = ''): Promise<void> {
  let atLineStart = true;
  for await (const chunk of log.read()) {
    const text = prefix === '' ? chunk : prefixed(chunk);
    if (!output.write(text)) {
      await once(output, 'drain');
    }
  }

  function prefixed(chunk: Buffer): string {
    const text = chunk.toString('latin1');
    const start = atLineStart ? prefix : '';
    atLineStart = text.endsWith('\n');
    return Buffer.from(start + text.replace(/\n(?!$)/g, `\n${prefix}`), 'latin1').toString();
  }
}
