import type { OnReadOpts, Socket } from 'node:net';

/**
 * For `net.connect` and `tls.connect`: all reads go into one buffer, and what has arrived is copied out of it. Otherwise
 * Node allocates 64 KiB for each read and shrinks them to what has come, which takes more than the copy when answers
 * are small.
 */
export const sharedReadBuffer: OnReadOpts = {
  buffer: Buffer.allocUnsafeSlow(64 * 1024),
  callback(this: Socket, bytes: number, data: Uint8Array) {
    return this.push(Buffer.from(data.subarray(0, bytes)));
  },
};
