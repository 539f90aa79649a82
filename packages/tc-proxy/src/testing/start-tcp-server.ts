import { createServer, type Socket } from 'node:net';
import { type ListeningServer, listening } from '@docker-worker/service-kit/testing/listening';

export interface TestTcpServer extends ListeningServer {
  /** Connections so far. */
  connections(): number;
}

/** A server on loopback that is given bare connections, to misbehave on them. */
export async function startTcpServer(onConnection: (socket: Socket) => void): Promise<TestTcpServer> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    onConnection(socket);
  });
  return { ...(await listening(server)), connections: () => count };
}
