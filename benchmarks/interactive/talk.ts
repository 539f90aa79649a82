import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import WebSocket from 'ws';

/** A command that runs, with its input and output. */
export interface Talk {
  output: AsyncIterator<Buffer> & AsyncIterable<Buffer>;
  send(text: string): void;
  end(): void;
}

export async function execTalk(container: string, command: string[]): Promise<Talk> {
  const child = spawn('docker', ['exec', '-i', container, ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return {
    output: child.stdout[Symbol.asyncIterator](),
    send: (text) => child.stdin.write(text),
    end: () => child.stdin.end(),
  };
}

/** Speaks protocol version 1. */
export async function webSocketTalk(url: string, command: string[]): Promise<Talk> {
  const query = new URLSearchParams(command.map((part): [string, string] => ['command', part]));
  const socket = new WebSocket(`${url}?tty=false&${query}`, { perMessageDeflate: false });
  const messages = on(socket, 'message', { close: ['close'], highWaterMark: 64, lowWaterMark: 16 });
  await once(socket, 'open');
  return {
    output: outputOf(messages),
    send: (text) => socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(text)])),
    end: () => socket.close(),
  };
}

async function* outputOf(messages: AsyncIterable<Buffer[]>): AsyncGenerator<Buffer> {
  for await (const [message] of messages) {
    if (message?.[0] === 1) {
      yield message.subarray(1);
    }
  }
}
