import { frameCode as code, shellCommand } from '@docker-worker/exec-ws-server/sidecar';
import WebSocket from 'ws';
import { busybox } from '../../../features/interactive/task-folder.ts';

export interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** Called when the shell is there. */
  onReady(): void;
}

/**
 * Connects a terminal with a shell in a task's container until the shell has ended, and returns its exit
 * code. The terminal is as it was before, whatever happens.
 *
 * @param url of a server of protocol version 1
 * @throws when there is no connection, or it ends before the shell
 */
export async function terminalShell(url: string, { input, output, onReady }: Terminal): Promise<number> {
  const address = new URL(url);
  address.searchParams.set('tty', 'true');
  for (const part of shellCommand([busybox, 'sh'], busybox)) {
    address.searchParams.append('command', part);
  }
  // The server is this machine's own; whether its certificate fits this address says nothing.
  const socket = new WebSocket(address, { rejectUnauthorized: false, perMessageDeflate: false });
  const ended = Promise.withResolvers<number>();
  socket.on('error', ended.reject);
  socket.on('close', () => ended.reject(new Error('the connection to the shell was lost')));
  const onInput = (bytes: Buffer) => socket.send(frame(code.stdin, bytes));
  const onResize = () => socket.send(frame(code.resize, sizeOf(output)));
  const onDrain = () => socket.send(frame(code.resume));
  socket.on('message', (message: Buffer) => {
    const payload = message.subarray(1);
    switch (message[0]) {
      case code.stdout:
      case code.stderr:
        if (!output.write(payload)) {
          socket.send(frame(code.pause));
        }
        break;
      case code.resume:
        input.resume();
        break;
      case code.pause:
        input.pause();
        break;
      case code.stopped:
        ended.resolve(payload[0] ?? 0);
        break;
      case code.shutdown:
        ended.reject(new Error('the task is going away'));
        break;
      case code.error:
        ended.reject(new Error(payload.toString()));
        break;
    }
  });
  // The first message says that the shell is there.
  socket.once('message', () => {
    input.setRawMode(true);
    input.on('data', onInput);
    output.on('resize', onResize).on('drain', onDrain);
    onResize();
    onReady();
  });
  try {
    return await ended.promise;
  } finally {
    input.off('data', onInput).pause();
    input.setRawMode(false);
    output.off('resize', onResize).off('drain', onDrain);
    socket.close();
  }
}

function frame(kind: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([kind]), payload]);
}

function sizeOf({ rows, columns }: NodeJS.WriteStream): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  return size;
}
