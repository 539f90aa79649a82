import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** Most bytes of a piece: what Linux keeps for the reader of a Unix socket, and some more. */
export const largestPiece = 256 * 1024;

/**
 * Reads a connected socket in as large pieces as the kernel has, all of them into one buffer. A stream takes at
 * most 64 KiB, each time into new memory: a relay spends more on that than on the bytes themselves.
 *
 * @param socket as it was handed over, in the same turn, or its end can be missed; must not be used any more
 * @param take is handed a part of the buffer, good until it returns; false stops the reading until `resume`
 * @returns the same connection, which reads from the first `resume` on, emits `end` but no `data`, and closes after the end
 */
export function readInBulk(socket: Duplex, take: (bytes: Buffer) => boolean): Duplex {
  // Only what comes as the kernel has it can be read so; not TLS, nor the output of a program.
  if (!(socket instanceof Socket) || socket instanceof TLSSocket) {
    return socket.on('data', (bytes: Buffer) => take(bytes) || socket.pause()).pause();
  }
  const buffer = Buffer.allocUnsafeSlow(largestPiece);
  const bulk = new Socket({
    handle: takeHandle(socket),
    pauseOnCreate: true,
    onread: { buffer, callback: (length: number) => take(buffer.subarray(0, length)) },
  } as ConstructorParameters<typeof Socket>[0]);
  // What came together with an answer's head, and has been read.
  const early: Buffer | null = socket.read();
  if (early !== null) bulk.once('resume', () => take(early) || bulk.pause());
  return bulk;
}

/** Node has no other way to change how a connection is read once HTTP has been spoken over it. */
function takeHandle(socket: Socket): object {
  const owner = socket as unknown as { _handle: object | null };
  const handle = owner._handle;
  if (handle === null) throw new Error('the connection is closed already');
  owner._handle = null;
  return handle;
}
