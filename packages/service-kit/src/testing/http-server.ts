import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type ListeningServer, listening } from './listening.ts';

export interface TestServer extends ListeningServer {
  /** Requests that arrived. */
  requests(): number;
}

/** A real server on loopback; with `tls` it speaks https under the certificate given there. */
export async function startServer(listener: RequestListener, tls?: ServerOptions): Promise<TestServer> {
  let count = 0;
  function counted(...[request, response]: Parameters<RequestListener>): void {
    count += 1;
    listener(request, response);
  }
  const server = await listening(tls ? createTlsServer(tls, counted) : createServer(counted));
  return {
    ...server,
    url: tls ? server.url.replace('http', 'https') : server.url,
    requests: () => count,
  };
}
