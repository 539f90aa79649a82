import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import type { Engine } from '../../engine/engine.ts';
import { connectStandIn } from '../../engine/testing/connect-stand-in.ts';

export interface ProcessEngine extends AsyncDisposable {
  engine: Engine;
  /** Methods, paths and bodies of what was asked about networks. */
  networks: string[];
}

const switching = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

/**
 * An engine whose containers are processes of this host, one at a time.
 *
 * @param desktop has a `host-gateway` that leads to the host's loopback
 */
export async function processEngine({ desktop = false } = {}): Promise<ProcessEngine> {
  const networks: string[] = [];
  let command: string[] = [];
  let output: Duplex | ServerResponse | undefined;
  let child: ChildProcess | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '', 'http://engine');
    const send = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === '/events') {
      response.writeHead(200).flushHeaders();
    } else if (pathname.startsWith('/networks/')) {
      const body = request.method === 'POST' ? JSON.stringify(await json(request)) : '';
      networks.push(`${request.method} ${pathname} ${body}`);
      send({ Id: 'own' }, pathname.endsWith('/create') ? 201 : request.method === 'DELETE' ? 204 : 200);
    } else if (pathname === '/containers/create') {
      const { Entrypoint, Cmd } = (await json(request)) as { Entrypoint: string[]; Cmd: string[] };
      command = [...Entrypoint, ...Cmd];
      send({ Id: 'container' }, 201);
    } else if (pathname.endsWith('/attach')) {
      output = response;
      response.writeHead(200).flushHeaders();
    } else if (pathname.endsWith('/start')) {
      start();
      response.writeHead(204).end();
    } else if (pathname.endsWith('/wait')) {
      if (child?.exitCode === null) await once(child, 'exit');
      send({ StatusCode: child?.exitCode ?? 0 });
    } else if (request.method === 'DELETE') {
      child?.kill('SIGKILL');
      response.writeHead(204).end();
    } else {
      response.end('OK');
    }
  }

  function start(): void {
    const [, ...args] = command.map((word) =>
      desktop ? word.replace("'host-gateway'", "'127.0.0.1'") : word,
    );
    child = spawn(process.execPath, args);
    const to = output;
    const ended = [
      [1, child.stdout],
      [2, child.stderr],
    ].map(async ([stream, from]) => {
      for await (const bytes of from as Readable) {
        const header = Buffer.alloc(8);
        header.writeUInt8(stream as number);
        header.writeUInt32BE((bytes as Buffer).length, 4);
        to?.write(Buffer.concat([header, bytes as Buffer]));
      }
    });
    void Promise.all(ended).then(() => to?.end());
    child.stdin?.on('error', () => {});
    if (to !== undefined && 'pipe' in to && 'read' in to) to.pipe(child.stdin as NodeJS.WritableStream);
  }

  const standIn = await connectStandIn((request, response) => void answer(request, response), {
    onUpgrade: (_request: IncomingMessage, socket: Duplex) => {
      output = socket.on('error', () => {});
      socket.write(switching);
    },
  });
  return {
    engine: standIn.engine,
    networks,
    async [Symbol.asyncDispose]() {
      child?.kill('SIGKILL');
      output?.destroy();
      await standIn[Symbol.asyncDispose]();
    },
  };
}
