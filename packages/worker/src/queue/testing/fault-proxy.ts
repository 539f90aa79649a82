import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `refuse`: nobody listens. `cut`: the connection ends before the request is passed on; `lose`: after the server has
 * done what it was asked for. `hang`: no answer until the fault is over. The rest answer for the server.
 */
export type Fault = 'refuse' | 'cut' | 'lose' | 'hang' | 'unavailable' | 'page';

export const faults: Fault[] = ['refuse', 'cut', 'lose', 'hang', 'unavailable', 'page'];

export interface FaultProxy extends AsyncDisposable {
  url: string;
  /** Where requests are passed on to; to be set before the first one. */
  target: string;
  /** What becomes of each request whose method and path match, until it is disposed of. */
  begin(fault: Fault, matches: RegExp): Promise<RunningFault>;
}

export interface RunningFault extends AsyncDisposable {
  /** Settles when a request has met it; of `refuse`, at once. */
  met: Promise<void>;
}

const page = '<!DOCTYPE html><title>Please wait</title>';

/** Stands between a worker and a server, on loopback, and lets nothing through as it should be. */
export async function startFaultProxy(): Promise<FaultProxy> {
  const running = new Map<RegExp, { fault: Fault; meet(): void; hanging: Set<ServerResponse> }>();
  const server = createServer((incoming, answer) => {
    const call = `${incoming.method} ${incoming.url}`;
    const [, met] = [...running].find(([matches]) => matches.test(call)) ?? [];
    met?.meet();
    switch (met?.fault) {
      case 'cut':
        return incoming.socket.destroy();
      case 'hang':
        return met.hanging.add(answer);
      case 'unavailable':
        return answer.writeHead(503, { 'content-type': 'text/html' }).end(page);
      case 'page':
        return answer.writeHead(200, { 'content-type': 'text/html' }).end(page);
      default:
        return pass(incoming, answer, met?.fault === 'lose');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };

  function pass(incoming: IncomingMessage, answer: ServerResponse, loses: boolean): void {
    const { method, headers, url = '' } = incoming;
    const passed = request(new URL(url, proxy.target), { method, headers, agent: false }, (response) => {
      if (loses) {
        response.resume().once('end', () => incoming.socket.destroy());
      } else {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      }
    });
    passed.on('error', () => answer.destroy());
    answer.once('close', () => passed.destroy());
    incoming.pipe(passed);
  }

  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${port}`,
    target: '',
    async begin(fault, matches) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const hanging = new Set<ServerResponse>();
      if (fault === 'refuse') {
        await close();
        resolve();
      } else {
        running.set(matches, { fault, meet: resolve, hanging });
      }
      return {
        met: promise,
        async [Symbol.asyncDispose]() {
          running.delete(matches);
          for (const answer of hanging) {
            answer.destroy();
          }
          if (fault === 'refuse') {
            server.listen(port, '127.0.0.1');
            await once(server, 'listening');
          }
        },
      };
    },
    [Symbol.asyncDispose]: close,
  };
  return proxy;
}
