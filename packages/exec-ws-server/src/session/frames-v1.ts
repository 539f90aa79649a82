/** First bytes of version 1's messages; client and server share the numbering. */
export const code = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  resize: 50,
  resume: 100,
  pause: 101,
  end: 102,
  stopped: 200,
  shutdown: 201,
  error: 202,
} as const;

/** What a client of version 1 says. */
export type ClientFrame =
  | { kind: 'stdin'; data: Buffer }
  | { kind: 'resize'; rows: number; columns: number }
  | { kind: 'resume' | 'pause' | 'end' }
  /** Nothing that the protocol knows, to be ignored. */
  | { kind: 'unknown' };

/**
 * Reads one message. What is no message of the protocol, an empty or truncated one included, is `unknown`:
 * a client's mistake never ends its session.
 */
export function decodeFrame(message: Buffer): ClientFrame {
  const payload = message.subarray(1);
  switch (message[0]) {
    case code.stdin:
      return { kind: 'stdin', data: payload };
    case code.resize:
      return payload.length < 4
        ? { kind: 'unknown' }
        : { kind: 'resize', rows: payload.readUInt16LE(0), columns: payload.readUInt16LE(2) };
    case code.resume:
      return { kind: 'resume' };
    case code.pause:
      return { kind: 'pause' };
    case code.end:
      return { kind: 'end' };
    default:
      return { kind: 'unknown' };
  }
}

/** A message of the server: its code and what follows it. */
export function encodeFrame(type: number, payload?: Buffer | string): Buffer {
  return payload === undefined
    ? Buffer.from([type])
    : Buffer.concat([Buffer.from([type]), typeof payload === 'string' ? Buffer.from(payload) : payload]);
}

/** The exit code is one unsigned byte on the wire; the usual client shows 255 as -1. */
export function stoppedFrame(exitCode: number): Buffer {
  return Buffer.from([code.stopped, exitCode & 0xff]);
}
