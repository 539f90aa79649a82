import type { ExecProcess } from '../shell/exec-process.ts';
import type { Connection } from './connection.ts';

/** Bytes that wait for the process, above which its client is asked to wait, and above which it has to. */
const askBytes = 1024 * 1024;
const stopBytes = 4 * 1024 * 1024;

/** Hands a process its input, and keeps the client from sending more than the process reads. */
export function takeInput(
  connection: Connection,
  process: ExecProcess,
  { onFull = () => {}, onDrained = () => {} }: { onFull?(): unknown; onDrained?(): unknown } = {},
): (data: Buffer) => void {
  let isFull = false;
  process.on('drain', () => {
    connection.holds.release('input');
    if (isFull) {
      isFull = false;
      onDrained();
    }
  });
  return (data) => {
    if (process.write(data)) {
      return;
    }
    if (!isFull && process.backlog > askBytes) {
      isFull = true;
      onFull();
    }
    if (process.backlog > stopBytes) {
      connection.holds.hold('input');
    }
  };
}
