const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const [contentSizes, dictionarySizes] = [
  [0, 2, 4, 8],
  [0, 1, 2, 4],
] as const;

/** How a part of a stream of frames goes on: so many bytes that are passed on or not, after which the next part begins. */
interface Part {
  bytes: number;
  keep: boolean;
  next(bytes: Buffer): Part;
}

/**
 * The same bytes, cut so that no chunk has parts of two frames (RFC 8878): Node's decompressor forgets what comes after the
 * end of a frame in one chunk, and goes on with the next. Frames that decompressors have to skip are left out.
 */
export async function* zstdFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let part: Part = magic;
  // Of the part, as far as it is short enough to be looked at, and has come.
  let seen = Buffer.alloc(0);
  let left = part.bytes;
  let frame: Buffer[] = [];
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + left);
      at += piece.length;
      left -= piece.length;
      seen = part.bytes <= longestHeader ? Buffer.concat([seen, piece]) : seen;
      if (part.keep) {
        frame.push(piece);
      }
      while (left === 0) {
        const ended = part;
        part = ended.next(seen);
        left = part.bytes;
        seen = Buffer.alloc(0);
        if (part === magic && frame.length > 0) {
          yield Buffer.concat(frame);
          frame = [];
        } else if (part.keep && !ended.keep) {
          frame.push(Buffer.from(ended === magic ? magicBytes : []));
        }
      }
    }
    if (frame.length > 0) {
      yield Buffer.concat(frame);
      frame = [];
    }
  }
  if (part !== magic || left !== part.bytes) {
    throw new Error('the zstd archive ends too early');
  }
}

const longestHeader = 16;
const magicBytes = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What every frame begins with; known, and so added again where it is wanted. */
const magic: Part = {
  bytes: 4,
  keep: false,
  next(bytes) {
    const found = bytes.readUInt32LE();
    if (found === frameMagic) {
      return { bytes: 1, keep: true, next: (descriptor) => frameHeader(descriptor.readUInt8()) };
    }
    if ((found & 0xfffffff0) >>> 0 === skippableMagic) {
      return { bytes: 4, keep: false, next: (size) => skipped(size.readUInt32LE()) };
    }
    throw new Error('not a zstd archive: no frame begins where one should');
  },
};

function skipped(bytes: number): Part {
  return bytes === 0 ? magic : { bytes, keep: false, next: () => magic };
}

function frameHeader(descriptor: number): Part {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = contentSizes[(descriptor >>> 6) as 0] || (isSingleSegment ? 1 : 0);
  const bytes = (isSingleSegment ? 0 : 1) + dictionarySizes[(descriptor & 3) as 0] + contentSize;
  const block = blockHeader((descriptor & 4) === 0 ? 0 : 4);
  return { bytes, keep: true, next: () => block };
}

function blockHeader(checksumBytes: number): Part {
  const header: Part = {
    bytes: 3,
    keep: true,
    next(bytes) {
      const fields = bytes.readUIntLE(0, 3);
      const isRunLength = ((fields >>> 1) & 3) === 1;
      const size = isRunLength ? 1 : fields >>> 3;
      const end: Part = checksumBytes === 0 ? magic : { bytes: checksumBytes, keep: true, next: () => magic };
      const after = (fields & 1) === 1 ? end : header;
      return size === 0 ? after : { bytes: size, keep: true, next: () => after };
    },
  };
  return header;
}
