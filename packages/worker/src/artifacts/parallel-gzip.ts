import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw as deflateRawCallback, type ZlibOptions } from 'node:zlib';

const deflateRaw = promisify<Buffer, ZlibOptions, Buffer>(deflateRawCallback);

const blockBytes = 512 * 1024;
/** How far back deflate can refer. */
const windowBytes = 32 * 1024;
/** No name, no time, an unknown operating system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/**
 * One gzip stream, as any tool reads it, compressed in blocks on as many threads as there are cores. Each
 * block may refer to the end of the one before, so that it is hardly larger than a stream made in one go.
 */
export async function* parallelGzip(
  source: AsyncIterable<Buffer>,
  { level = 6, parallelism = availableParallelism() }: { level?: number; parallelism?: number } = {},
): AsyncGenerator<Buffer> {
  yield header;
  const underWay: Promise<Buffer>[] = [];
  let dictionary: Buffer | undefined;
  let checksum = 0;
  let size = 0;
  for await (const block of blocks(source)) {
    checksum = crc32(block, checksum);
    size += block.length;
    const compressing = deflateRaw(block, { level, dictionary, finishFlush: constants.Z_SYNC_FLUSH });
    // Told to whoever awaits it in its turn.
    compressing.catch(() => {});
    underWay.push(compressing);
    dictionary = block.subarray(-windowBytes);
    if (underWay.length > parallelism) {
      yield (await underWay.shift()) as Buffer;
    }
  }
  for (const compressing of underWay) {
    yield await compressing;
  }
  yield await deflateRaw(Buffer.alloc(0), { level });
  yield trailer(checksum, size);
}

async function* blocks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes >= blockBytes) {
      yield Buffer.concat(parts, bytes);
      parts = [];
      bytes = 0;
    }
  }
  if (bytes > 0) {
    yield Buffer.concat(parts, bytes);
  }
}

function trailer(checksum: number, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(checksum, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}
