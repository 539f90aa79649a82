import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A file of what `docker save` writes: a JSON document, or a layer as an archive that is not compressed. */
export interface SavedFile {
  kind: 'document' | 'layer';
  content: Readable;
}

/** Engines since version 25 name files by their digests alone, so that only the content tells what one is. */
export async function blobFile(source: AsyncIterable<Buffer>): Promise<SavedFile> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  const head: Buffer = first.value ?? Buffer.alloc(0);
  const whole = Readable.from(all(), { objectMode: false });
  if (head[0] === '{'.charCodeAt(0)) return { kind: 'document', content: whole };
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  return { kind: 'layer', content: isGzip ? unzipped(whole) : whole };

  async function* all() {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
}

function unzipped(stream: Readable): Readable {
  const content = stream.pipe(createGunzip());
  stream.on('error', (error) => content.destroy(error));
  return content;
}
