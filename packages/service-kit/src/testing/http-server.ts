import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface TestServer extends AsyncDisposable {
  port: number;
  url: string;
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
  const server: Server = tls ? createTlsServer(tls, counted) : createServer(counted);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
