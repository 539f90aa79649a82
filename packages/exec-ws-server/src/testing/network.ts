import { connect, createServer, type Socket } from 'node:net';
import { listening } from '@docker-worker/service-kit/testing/listening';

/** A way to a port on this host that can be cut and mended. */
export interface TestNetwork extends AsyncDisposable {
  port: number;
  cut(): void;
  mend(): void;
}

export async function startNetwork(target: number): Promise<TestNetwork> {
  let isCut = false;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  return {
    ...(await listening(server)),
    cut() {
      isCut = true;
      for (const socket of open) {
        socket.destroy();
      }
    },
    mend() {
      isCut = false;
    },
  };
}
