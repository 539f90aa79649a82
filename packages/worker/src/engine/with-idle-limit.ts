import type { Readable } from 'node:stream';
import { clearTimeout, setTimeout } from 'node:timers';

/** What reading a stream comes to; a stream that brings nothing for `idleMs` is destroyed, and taken as ended. */
export async function withIdleLimit(stream: Readable, idleMs: number, reading: Promise<void>): Promise<void> {
  const { promise: idle, resolve } = Promise.withResolvers<void>();
  let timer = setTimeout(resolve, idleMs);
  const onData = () => {
    clearTimeout(timer);
    timer = setTimeout(resolve, idleMs);
  };
  stream.on('data', onData);
  try {
    await Promise.race([reading, idle]);
  } finally {
    clearTimeout(timer);
    stream.off('data', onData);
    stream.destroy();
  }
}
