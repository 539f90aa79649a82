import { once } from 'node:events';
import type { ListenOptions, Server, Socket } from 'node:net';

export interface ListeningServer extends AsyncDisposable {
  port: number;
  url: string;
}

/**
 * Lets a test's server listen, on a free port of loopback unless `where` says otherwise. It ends with the test, and with it
 * all its connections, whatever they have become.
 */
export async function listening(
  server: Server,
  where: ListenOptions = { host: '127.0.0.1', port: 0 },
): Promise<ListeningServer> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket.on('error', () => {}).once('close', () => open.delete(socket)));
  });
  await once(server.listen(where), 'listening');
  const bound = server.address();
  const { address, port } = typeof bound === 'object' && bound ? bound : { address: '', port: 0 };
  return {
    port,
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
