import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface TestTcpServer extends AsyncDisposable {
  port: number;
  url: string;
  /** Connections so far. */
  connections(): number;
}

/** A server on loopback that is given bare connections, to misbehave on them. */
export async function startTcpServer(onConnection: (socket: Socket) => void): Promise<TestTcpServer> {
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    open.add(socket);
    socket.on('error', () => {}).once('close', () => open.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    connections: () => count,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
