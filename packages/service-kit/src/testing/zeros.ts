import { Readable } from 'node:stream';

/** So many zero bytes, in pieces of 64 KiB, each told of when it is asked for. */
export function zeros(total: number, onPiece: (bytes: number) => void): Readable {
  const piece = Buffer.alloc(64 * 1024);
  let made = 0;
  return new Readable({
    read() {
      made += piece.length;
      if (made > total) {
        this.push(null);
        return;
      }
      onPiece(piece.length);
      this.push(piece);
    },
  });
}
