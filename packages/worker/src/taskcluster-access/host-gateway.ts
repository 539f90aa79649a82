import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { runHelper } from '../containers/helper-container.ts';
import { type Engine, engineStatus } from '../engine/engine.ts';

interface Asked {
  engine: Engine;
  worker: string;
  image: string;
}

/** Whether what listens on this host's loopback is reached from containers by `host-gateway`, as on the engines of desktops. */
export async function reachesByHostGateway({ engine, worker, image }: Asked): Promise<boolean> {
  const password = randomUUID();
  const server = createServer((socket) => socket.on('error', () => {}).end(password));
  await once(server.listen({ host: '127.0.0.1', port: 0 }), 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const { stdout } = await runHelper(
      engine.docker,
      { worker, image, role: 'host-gateway' },
      {
        Entrypoint: ['node', '-e', program, String(port)],
        Cmd: [],
        HostConfig: { ExtraHosts: ['host-gateway:host-gateway'], CapDrop: ['ALL'], ReadonlyRootfs: true },
      },
    );
    return stdout.trim() === password;
  } catch (error) {
    // An engine that does not know the word, or has no network for it.
    if (engineStatus(error) === undefined) {
      throw error;
    }
    return false;
  } finally {
    server.close();
  }
}

const program = `
const socket = require('net').connect(Number(process.argv[1]), 'host-gateway');
socket.pipe(process.stdout);
socket.on('error', () => process.exit());
setTimeout(() => process.exit(), 2000);`;
