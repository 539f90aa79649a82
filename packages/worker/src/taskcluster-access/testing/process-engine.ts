import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import type { Engine } from '../../engine/engine.ts';
import { connectStandIn } from '../../engine/testing/connect-stand-in.ts';

export interface ProcessEngine extends AsyncDisposable {
  engine: Engine;
  /** Methods, paths and bodies of what was asked about networks. */
  networks: string[];
}

interface CreateRequest {
  Entrypoint: string[];
  Cmd: string[];
  HostConfig?: { Mounts?: { Source: string }[] };
}

const switching = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

/**
 * An engine whose containers are processes of this host, one at a time, and which mounts no folder of it.
 *
 * @param desktop has a `host-gateway` that leads to the host's loopback
 * @param rewrite is given each word of a command, to put folders of this host in place of volumes
 */
export async function processEngine({
  desktop = false,
  rewrite = (word: string) => (desktop ? word.replace("'host-gateway'", "'127.0.0.1'") : word),
} = {}): Promise<ProcessEngine> {
  const networks: string[] = [];
  const commands = new Map<string, string[]>();
  const children = new Set<ChildProcess>();
  let output: Duplex | ServerResponse | undefined;
  let container: ChildProcess | undefined;

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
    } else if (pathname === '/images/json') {
      send([{ Id: 'image' }]);
    } else if (pathname === '/volumes/create') {
      send({ Name: 'volume' }, 201);
    } else if (pathname === '/containers/create') {
      const { Entrypoint, Cmd, HostConfig } = (await json(request)) as CreateRequest;
      const source = HostConfig?.Mounts?.[0]?.Source;
      commands.set('container', [...Entrypoint, ...Cmd]);
      if (source === undefined) send({ Id: 'container' }, 201);
      else send({ message: `bind source path does not exist: ${source}` }, 400);
    } else if (pathname.endsWith('/exec')) {
      const Id = `exec-${commands.size}`;
      commands.set(Id, ((await json(request)) as { Cmd: string[] }).Cmd);
      send({ Id }, 201);
    } else if (pathname.endsWith('/attach')) {
      output = response;
      response.writeHead(200).flushHeaders();
    } else if (pathname.endsWith('/start')) {
      container = start('container', output);
      response.writeHead(204).end();
    } else if (pathname.endsWith('/wait')) {
      if (container?.exitCode === null) await once(container, 'exit');
      send({ StatusCode: container?.exitCode ?? 0 });
    } else if (request.method === 'DELETE') {
      container?.kill('SIGKILL');
      response.writeHead(204).end();
    } else {
      response.end('OK');
    }
  }

  function start(id: string, to: Duplex | ServerResponse | undefined): ChildProcess {
    const [, ...args] = (commands.get(id) ?? []).map(rewrite);
    const child = spawn(process.execPath, args);
    children.add(child);
    const copied = [child.stdout, child.stderr].map(async (from, at) => {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        const header = Buffer.alloc(8);
        header.writeUInt8(at + 1);
        header.writeUInt32BE(bytes.length, 4);
        to?.write(Buffer.concat([header, bytes]));
      }
    });
    void Promise.all(copied).then(() => to?.end());
    child.stdin.on('error', () => {});
    if (to instanceof Duplex) to.pipe(child.stdin);
    return child;
  }

  const standIn = await connectStandIn((request, response) => void answer(request, response), {
    onUpgrade: ({ url = '' }: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => {}).write(switching);
      const [, exec] = /\/exec\/([^/]+)\/start/.exec(url) ?? [];
      if (exec === undefined) output = socket;
      else start(exec, socket);
    },
  });
  return {
    engine: standIn.engine,
    networks,
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      output?.destroy();
      await standIn[Symbol.asyncDispose]();
    },
  };
}
