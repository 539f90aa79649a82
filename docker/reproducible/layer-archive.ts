import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';

/** Records that hold times more exactly than the header, which would win over it. */
const timeRecords = ['mtime', 'atime', 'ctime', 'LIBARCHIVE.creationtime'];

/**
 * Copies the archive of a layer so that it depends on its content alone: no time is later than `epoch` (seconds).
 * Returns the SHA-256 of what was written.
 */
export async function copyLayer(source: Readable, file: string, epoch: number): Promise<string> {
  const latest = new Date(epoch * 1000);
  const entries = extract();
  const archive = pack();
  const hash = createHash('sha256');
  const written = pipeline(
    archive as unknown as AsyncIterable<Buffer>,
    async function* (chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  const read = pipeline(source, entries);
  for await (const entry of entries) {
    const { header } = entry;
    const pax = Object.entries(header.pax ?? {}).filter(([key]) => !timeRecords.includes(key));
    const mtime = header.mtime && header.mtime < latest ? header.mtime : latest;
    const copied = archive.entry({ ...header, mtime: wholeSeconds(mtime), pax: Object.fromEntries(pax) });
    await pipeline(entry, copied);
  }
  archive.finalize();
  await Promise.all([read, written]);
  return hash.digest('hex');
}

function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
