/** What a client of version 2 says. */
export type ShellFrame =
  | { kind: 'input'; data: Buffer }
  | { kind: 'resize'; rows: number; columns: number }
  /** Nothing that the protocol knows, to be ignored. */
  | { kind: 'unknown' };

/** Reads one message of version 2: `01` and bytes, or `02`, rows and columns as uint16 LE. */
export function decodeShellFrame(message: Buffer): ShellFrame {
  if (message[0] === 1) {
    return { kind: 'input', data: message.subarray(1) };
  }
  if (message[0] === 2 && message.length >= 5) {
    return { kind: 'resize', rows: message.readUInt16LE(1), columns: message.readUInt16LE(3) };
  }
  return { kind: 'unknown' };
}
