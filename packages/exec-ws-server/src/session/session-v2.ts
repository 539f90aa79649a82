import { once } from 'node:events';
import { engineMessage } from '../shell/exec-process.ts';
import type { HostedProcess, ShellHost } from '../shell/shell-host.ts';
import type { Connection } from './connection.ts';
import { decodeShellFrame } from './frames-v2.ts';
import { takeInput } from './input.ts';
import type { Session } from './sessions.ts';

/** Version 2, as Taskcluster's own page speaks it: a terminal's raw bytes; the end is the close. */
export function openSessionV2(connection: Connection, host: ShellHost, shell: readonly string[]): Session {
  const shutdown = Promise.withResolvers<'shutdown'>();
  return {
    ended: serve(connection, host, shell, shutdown.promise),
    shutDown: () => shutdown.resolve('shutdown'),
  };
}

/** What a client is told that finds no place; this protocol has only the terminal for it. */
export function refuseV2(connection: Connection, reason: string): void {
  connection.send(Buffer.from(`${reason}\r\n`));
  connection.close(1013, reason);
}

async function serve(
  connection: Connection,
  host: ShellHost,
  shell: readonly string[],
  shutdown: Promise<'shutdown'>,
): Promise<void> {
  const gone = once(connection, 'close').then(() => 'gone' as const);
  let hosted: HostedProcess;
  try {
    hosted = await host.start({ command: shell, tty: true });
  } catch (error) {
    connection.send(Buffer.from(`${engineMessage(error)}\r\n`));
    connection.close(1011, 'the shell could not be started');
    return;
  }
  const { process } = hosted;
  process.on('output', (_, data) => {
    if (!connection.send(Buffer.from(data))) {
      process.holds.hold('socket');
    }
  });
  connection.on('drain', () => process.holds.release('socket'));
  const input = takeInput(connection, process);
  connection.on('message', (message) => {
    const frame = decodeShellFrame(message);
    if (frame.kind === 'input') {
      input(frame.data);
    } else if (frame.kind === 'resize') {
      void process.resize(frame);
    }
  });
  connection.holds.release('start');
  process.holds.release('start');

  const end = await Promise.race([gone, shutdown, process.exited.catch((error: Error) => error)]);
  if (typeof end === 'number') {
    connection.close(1000, 'the shell has ended');
    return;
  }
  connection.close(
    end === 'shutdown' ? 1001 : 1011,
    end === 'shutdown' ? 'the task is going away' : 'the session failed',
  );
  await hosted.end();
}
