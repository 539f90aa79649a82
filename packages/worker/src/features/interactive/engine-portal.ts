import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { largestPiece, readInBulk } from '@docker-worker/service-kit/bulk-reader';
import type Docker from 'dockerode';
import { z } from 'zod';
import { engineMessage, engineStatus } from '../../engine/engine.ts';

/** All that may be asked of a process: neither privileges nor another user. */
const ExecRequest = z.strictObject({
  AttachStdin: z.boolean(),
  AttachStdout: z.literal(true),
  AttachStderr: z.literal(true),
  Tty: z.boolean(),
  Cmd: z.array(z.string()),
  Env: z.array(z.string()),
});
const StartRequest = z.object({ Tty: z.boolean(), Detach: z.literal(false).optional() });
const dimension = /^[1-9]\d{0,4}$/;
const largestBody = 256 * 1024;

/**
 * The engine hands output over in pieces of a few kilobytes, each of which would wake the service, the network and
 * the client. After a piece this large it gets a moment to send more, unless so much has come already.
 */
const bulkBytes = 4 * 1024;
const largestWait = largestPiece / 2;
const gatherMs = 1;

export interface EnginePortalOptions {
  docker: Docker;
  /** Id of the only container that the portal leads to. */
  container: string;
  /** Where it listens. */
  socketPath: string;
  /** Told whenever the number of open streams that take input changes: of people who are connected. */
  onStreams(count: number): void;
}

/**
 * A socket that answers four calls of the Docker Engine's API, about one container: `POST
 * /containers/<id>/exec`, and `POST /exec/<id>/start`, `POST /exec/<id>/resize` and `GET /exec/<id>/json` for
 * what was made by the first. A request is never passed on: it is read to its end, checked, and another is
 * made from the values that are known.
 */
export async function openEnginePortal(options: EnginePortalOptions): Promise<AsyncDisposable> {
  const { docker, container, socketPath, onStreams } = options;
  const known = new Map<string, { takesInput: boolean }>();
  const streams = new Set<Duplex>();
  let people = 0;

  const server = createServer((request, response) => {
    answer(request).then(
      ([status, body]) => reply(response, status, body),
      (error) => reply(response, statusOf(error), { message: engineMessage(error) }),
    );
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    streams.add(socket);
    socket.once('close', () => streams.delete(socket));
    startStream(request, socket, head).catch((error) => {
      const body = JSON.stringify({ message: engineMessage(error) });
      socket.end(
        `HTTP/1.1 ${statusOf(error)} Refused\r\nContent-Type: application/json\r\nConnection: close\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  // The folder that it lies in is nobody's but the service's, which runs as a user of its own.
  await chmod(socketPath, 0o666);
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of streams) {
        socket.destroy();
      }
      await closed;
    },
  };

  async function answer(request: IncomingMessage): Promise<[number, object?]> {
    const call = `${request.method} ${request.url}`;
    const body = await bodyOf(request);
    if (call === `POST /containers/${container}/exec`) {
      const wanted = parsed(ExecRequest, body);
      const { id } = await docker.getContainer(container).exec(wanted);
      known.set(id, { takesInput: wanted.AttachStdin });
      return [201, { Id: id }];
    }
    const [, method, id = '', action, query] =
      /^(GET|POST) \/exec\/([0-9a-f]{64})\/(json|resize)(?:\?(.*))?$/.exec(call) ?? [];
    if (known.has(id) && method === 'GET' && action === 'json' && query === undefined) {
      const { Running, ExitCode } = await docker.getExec(id).inspect();
      return [200, { ID: id, Running, ExitCode }];
    }
    if (known.has(id) && method === 'POST' && action === 'resize') {
      const size = new URLSearchParams(query);
      const [h = '', w = ''] = [size.get('h') ?? '', size.get('w') ?? ''];
      if (!dimension.test(h) || !dimension.test(w)) {
        throw new Refusal(400, 'h and w must be numbers from 1 to 99999');
      }
      await docker.getExec(id).resize({ h: Number(h), w: Number(w) });
      return [200];
    }
    throw new Refusal(403, 'this socket answers calls about commands in one container only');
  }

  async function startStream(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const id = /^POST \/exec\/([0-9a-f]{64})\/start$/.exec(`${request.method} ${request.url}`)?.[1] ?? '';
    const exec = known.get(id);
    if (exec === undefined) {
      throw new Refusal(403, 'this socket starts the commands only that were made by it');
    }
    const { Tty } = parsed(StartRequest, await upgradeBody(request, client, head));
    const engine = (await docker.getExec(id).start({ hijack: true, stdin: true, Tty })) as Duplex;
    if (client.destroyed) {
      engine.destroy();
      return;
    }
    const over = join(client, engine);
    if (exec.takesInput) {
      onStreams(++people);
    }
    await over;
    if (exec.takesInput) {
      onStreams(--people);
    }
  }
}

/**
 * Tells the client that its command runs, and passes bytes both ways until it has gone. Each way has an end of its own: a command whose input is
 * over still speaks, and what it said last is delivered after it has gone.
 */
async function join(client: Duplex, engine: Duplex): Promise<void> {
  const closed = once(client, 'close');
  let holds = 0;
  const release = () => {
    holds -= 1;
    if (holds === 0) {
      output.resume();
    }
  };
  const output = readInBulk(engine, (bytes) => {
    holds += 1;
    client.write(bytes, release);
    const isBulk = bytes.length >= bulkBytes && bytes.length < largestWait;
    if (isBulk) {
      holds += 1;
      setTimeout(release, gatherMs);
    }
    // What the kernel did not take at once is still read from the buffer.
    return client.writableLength === 0 && !isBulk;
  });
  output.on('error', () => {});
  output.once('end', () => client.end());
  output.once('close', () => {
    if (!output.readableEnded) {
      client.destroy();
    }
  });
  client.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
  client.pipe(output);
  output.resume();
  await closed;
  output.destroy();
}

class Refusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

function statusOf(error: unknown): number {
  return engineStatus(error) ?? 502;
}

function reply(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, body && { 'content-type': 'application/json' });
  response.end(body && JSON.stringify(body));
}

function parsed<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(body));
  } catch (error) {
    throw new Refusal(400, error instanceof z.ZodError ? z.prettifyError(error) : 'the body is not JSON');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestBody) {
      throw new Refusal(413, 'the body is too large');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The parser leaves the body of a request for an upgrade to us; what follows it is the stream's. */
async function upgradeBody(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<string> {
  const length = Number(request.headers['content-length']);
  if (request.headers['transfer-encoding'] !== undefined || !(length > 0 && length <= largestBody)) {
    throw new Refusal(400, 'the body must have a length');
  }
  let received = head;
  if (received.length < length) {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length >= length) {
        break;
      }
    }
  }
  if (received.length < length) {
    throw new Refusal(400, 'the body is not complete');
  }
  if (received.length > length) {
    socket.unshift(received.subarray(length));
  }
  return received.subarray(0, length).toString();
}
