import { once } from 'node:events';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Container } from 'dockerode';
import { retry } from '../async/retry.ts';

/**
 * The engine's tar stream of a path inside a container, which ends with an error when it is not whole. Podman gives
 * nothing at all, as a success, when it unmounts a container that has just exited; such an answer is asked for again.
 *
 * Rejects as the engine does when there is nothing at that path.
 */
export async function containerArchive(container: Container, path: string): Promise<Readable> {
  return await retry(
    async () => {
      const archive = wholeArchive((await container.getArchive({ path })) as Readable);
      await once(archive, 'readable');
      return archive;
    },
    { maxAttempts: 6, mayPass: (error) => error instanceof BrokenArchive },
  );
}

/** A tar stream that ends with an error where the engine has stopped before the end, which HTTP does not always tell. */
export function wholeArchive(stream: Readable): Readable {
  let last: Buffer = Buffer.alloc(0);
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      last =
        chunk.length < endMark ? Buffer.concat([last, chunk]).subarray(-endMark) : chunk.subarray(-endMark);
      done(null, chunk);
    },
    flush(done) {
      const isWhole = last.length === endMark && last.every((byte) => byte === 0);
      done(isWhole ? null : new BrokenArchive());
    },
  });
  // Its error is that of the stream that is read.
  pipeline(stream, checked).catch(() => {});
  return checked;
}

/** Every tar archive ends in two blocks of zeros. */
const endMark = 1024;

class BrokenArchive extends Error {
  constructor() {
    super('the engine has broken off the archive');
    this.name = 'BrokenArchive';
  }
}
