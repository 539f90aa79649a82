const lineFeed = 10;
const fourLineFeeds = 0x0a0a0a0a;
const lowBits = 0x7f7f7f7f;
const ones = 0x01010101;
/** After so many words a byte's count might not fit in a byte any more. */
const mostWords = 255;

/** Takes four bytes at a time, since a log that is followed is counted while its task runs. */
export function countLineFeeds(bytes: Buffer): number {
  const start = (4 - (bytes.byteOffset % 4)) % 4;
  if (bytes.length < start) {
    return countOneByOne(bytes, 0, bytes.length);
  }
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + start, (bytes.length - start) >>> 2);
  let count = countOneByOne(bytes, 0, start);
  for (let at = 0; at < words.length; ) {
    const end = Math.min(words.length, at + mostWords);
    // Four counts, a byte each.
    let counts = 0;
    for (; at < end; at += 1) {
      // A byte that is a line feed becomes 0, and only then is its highest bit 0 in the second step.
      const differing = (words[at] ?? 0) ^ fourLineFeeds;
      const highBits = ((differing & lowBits) + lowBits) | differing;
      counts += (~highBits >>> 7) & ones;
    }
    count += (counts & 255) + ((counts >>> 8) & 255) + ((counts >>> 16) & 255) + (counts >>> 24);
  }
  return count + countOneByOne(bytes, start + words.length * 4, bytes.length);
}

function countOneByOne(bytes: Buffer, from: number, until: number): number {
  let count = 0;
  for (let at = from; at < until; at += 1) {
    count += bytes[at] === lineFeed ? 1 : 0;
  }
  return count;
}
