import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
import { DockerExecClient } from 'docker-exec-websocket-client';

/** The published client, as it is. */
export interface V1Client extends EventEmitter {
  stdin: Duplex;
  stdout: Readable;
  stderr: Readable;
  execute(): Promise<void>;
  resize(rows: number, columns: number): void;
  close(): void;
}

export function v1Client(url: string, command: string[], { tty = false } = {}): V1Client {
  return new DockerExecClient({ url, tty, command, wsopts: { rejectUnauthorized: false } }) as V1Client;
}

export interface Collected {
  stdout: Buffer;
  stderr: Buffer;
  /** As the client tells it, which takes the byte as signed. */
  exitCode: number;
}

/** Connects, lets `talk` write and collects everything until the command has ended. */
export async function runV1(
  url: string,
  command: string[],
  { tty = false, talk = endInput }: { tty?: boolean; talk?(client: V1Client): unknown } = {},
): Promise<Collected> {
  const client = v1Client(url, command, { tty });
  // Rejects as well, when the server tells an error; also one that comes with the opening of the socket.
  const exited = once(client, 'exit');
  exited.catch(() => {});
  await client.execute();
  const stdout = collect(client.stdout);
  const stderr = collect(client.stderr);
  talk(client);
  const [exitCode] = (await exited) as [number];
  return { stdout: await stdout, stderr: await stderr, exitCode };
}

function endInput(client: V1Client): void {
  client.stdin.end();
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}
