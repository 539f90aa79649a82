import { once } from 'node:events';
import { type ExecProcess, engineMessage, type ProcessRequest } from '../shell/exec-process.ts';
import type { HostedProcess, ShellHost } from '../shell/shell-host.ts';
import type { Connection } from './connection.ts';
import { code, decodeFrame, encodeFrame, stoppedFrame } from './frames-v1.ts';
import { takeInput } from './input.ts';
import type { Session } from './sessions.ts';

/** Version 1 ("docker-exec-websocket"): the client names the command and hears of its exit code. */
export function openSessionV1(connection: Connection, host: ShellHost, request: ProcessRequest): Session {
  const shutdown = Promise.withResolvers<'shutdown'>();
  return {
    ended: serve(connection, host, request, shutdown.promise),
    shutDown: () => shutdown.resolve('shutdown'),
  };
}

/** What a client is told that finds no place. */
export function refuseV1(connection: Connection, reason: string): void {
  connection.send(encodeFrame(code.error, reason));
  connection.close(1013, reason);
}

async function serve(
  connection: Connection,
  host: ShellHost,
  request: ProcessRequest,
  shutdown: Promise<'shutdown'>,
): Promise<void> {
  const gone = once(connection, 'close').then(() => 'gone' as const);
  let hosted: HostedProcess;
  try {
    hosted = await host.start(request);
  } catch (error) {
    connection.send(encodeFrame(code.error, engineMessage(error)));
    connection.close(1011, 'the command could not be started');
    return;
  }
  relay(connection, hosted.process, request.tty);
  const end = await Promise.race([gone, shutdown, hosted.process.exited.catch((error: Error) => error)]);
  if (typeof end === 'number') {
    connection.send(stoppedFrame(end));
    connection.close(1000, 'the command has ended');
    return;
  }
  if (end === 'shutdown') {
    connection.send(encodeFrame(code.shutdown));
    connection.close(1001, 'the task is going away');
  } else if (end instanceof Error) {
    connection.send(encodeFrame(code.error, engineMessage(end)));
    connection.close(1011, 'the exit code is not known');
  }
  await hosted.end();
}

function relay(connection: Connection, process: ExecProcess, tty: boolean): void {
  process.on('output', (output, data) => {
    if (!connection.send(encodeFrame(code[output], data))) {
      process.holds.hold('socket');
    }
  });
  connection.on('drain', () => process.holds.release('socket'));
  const input = takeInput(connection, process, {
    onFull: () => connection.send(encodeFrame(code.pause)),
    onDrained: () => connection.send(encodeFrame(code.resume)),
  });
  connection.on('message', (message) => {
    const frame = decodeFrame(message);
    switch (frame.kind) {
      case 'stdin':
        input(frame.data);
        break;
      case 'end':
        process.end();
        break;
      case 'pause':
        process.holds.hold('client');
        break;
      case 'resume':
        process.holds.release('client');
        break;
      case 'resize':
        if (tty) {
          void process.resize(frame);
        } else {
          connection.send(encodeFrame(code.error, 'cannot resize, not a tty instance'));
        }
        break;
      case 'unknown':
        break;
    }
  });
  // Now the client may speak; what it has said already was kept for it.
  connection.send(encodeFrame(code.resume));
  connection.holds.release('start');
  process.holds.release('start');
}
