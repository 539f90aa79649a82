import { open } from 'node:fs/promises';
import type { PageLog } from './page-source.ts';

const pieceBytes = 256 * 1024;
const newline = 10;

export interface Found {
  /** Numbers of the lines, counted from 0, in their order. */
  lines: number[];
  /** Whether there are more. */
  more: boolean;
}

/** The lines that contain a text, whatever the case of its ASCII letters; at most so many. */
export async function findInLog(
  log: PageLog,
  text: string,
  { most = 1000, signal }: { most?: number; signal?: AbortSignal } = {},
): Promise<Found> {
  const needle = lowered(Buffer.from(text));
  const found: number[] = [];
  if (needle === '') {
    return { lines: found, more: false };
  }
  await using file = await open(log.path, 'r');
  const { bytes } = log;
  const buffer = Buffer.allocUnsafe(pieceBytes);
  // The end of a piece is looked at again with the next one, in which a text that lies across both is whole.
  const overlap = needle.length - 1;
  let line = 0;
  for (let position = 0; position < bytes; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(pieceBytes, bytes - position), position);
    const isLast = bytesRead === 0 || position + bytesRead >= bytes;
    const taken = isLast ? bytesRead : bytesRead - overlap;
    const piece = lowered(buffer.subarray(0, bytesRead));
    let counted = 0;
    for (let at = piece.indexOf(needle); at >= 0 && at < taken; at = piece.indexOf(needle, at + 1)) {
      line += feeds(buffer, counted, at);
      counted = at;
      if (found.at(-1) !== line) {
        if (found.length === most) {
          return { lines: found, more: true };
        }
        found.push(line);
      }
    }
    line += feeds(buffer, counted, taken);
    position += taken;
    if (isLast) {
      break;
    }
  }
  return { lines: found, more: false };
}

/** One character a byte, so that positions are those of the bytes. */
function lowered(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function feeds(bytes: Buffer, from: number, until: number): number {
  let count = 0;
  for (let at = from; at < until; at += 1) {
    count += bytes[at] === newline ? 1 : 0;
  }
  return count;
}
