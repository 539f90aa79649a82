import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { listening } from '@docker-worker/service-kit/testing/listening';

/**
 * An engine that takes every call for good, remembers it, and whose commands send back what they are sent;
 * `print <n>` sends so many bytes and ends, `late` runs when its `late` event is answered.
 */
export interface EngineStandIn extends AsyncDisposable {
  socketPath: string;
  /** Method, path and body of every call. */
  calls: { call: string; body: string }[];
  events: EventEmitter<{ late: [run: () => Duplex] }>;
  /** Ids of the commands that were made. */
  execs: string[];
}

const switching = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

export async function startEngineStandIn(socketPath: string): Promise<EngineStandIn> {
  const calls: EngineStandIn['calls'] = [];
  const execs: string[] = [];
  const events: EngineStandIn['events'] = new EventEmitter();
  const commands = new Map<string, string[]>();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) {
      body += chunk;
    }
    calls.push({ call: `${request.method} ${request.url}`, body });
    if (request.url?.endsWith('/exec')) {
      const id = (execs.length + 1).toString(16).padStart(64, 'e');
      execs.push(id);
      commands.set(id, (JSON.parse(body) as { Cmd: string[] }).Cmd);
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ Id: id }));
    } else {
      const answer = { ID: 'x', Running: false, ExitCode: 7, ContainerID: 'c', ProcessConfig: { a: 1 } };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }
  });
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    const length = Number(request.headers['content-length']);
    calls.push({ call: `${request.method} ${request.url}`, body: head.subarray(0, length).toString() });
    const [command, count] = commands.get(request.url?.split('/')[2] ?? '') ?? [];
    if (command === 'late') {
      events.emit('late', () => {
        socket.write(switching);
        return socket.once('end', () => socket.end()).resume();
      });
      return;
    }
    socket.write(switching);
    if (command === 'print') {
      socket.end(Buffer.alloc(Number(count), 'x'));
      return;
    }
    socket.write(head.subarray(length));
    socket.pipe(socket);
  });
  return { ...(await listening(server, { path: socketPath })), socketPath, calls, execs, events };
}
