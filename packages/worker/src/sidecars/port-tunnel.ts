import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Duplex, PassThrough, pipeline } from 'node:stream';
import type { Container } from 'dockerode';

/** A port of this host that leads into a container of an engine that cannot publish it here. */
export interface PortTunnel extends AsyncDisposable {
  port: number;
}

/**
 * Opens it at the first of the ports that is free.
 *
 * @param address of this host; default: all
 * @param ports as `first-last`; default: any
 * @param target the port in the container, which has Node
 */
export async function openPortTunnel(
  container: Container,
  target: number,
  { address, ports = '0' }: { address?: string; ports?: string },
): Promise<PortTunnel> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.on('error', () => {}).once('close', () => open.delete(socket)));
    void join(container, target, socket).catch(() => socket.destroy());
  });
  const [first = 0, last = first] = ports.split('-').map(Number);
  for (let port = first; ; port++) {
    try {
      await once(server.listen({ host: address, port }), 'listening');
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port >= last) {
        throw error;
      }
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** By a program in the container, which brings what comes over its standard streams to the port. */
async function join(container: Container, target: number, socket: Socket): Promise<void> {
  const exec = await container.exec({
    ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false },
    Cmd: ['node', '-e', program, String(target)],
  });
  const stream = (await exec.start({ hijack: true, stdin: true })) as Duplex;
  const [output, ignored] = [new PassThrough(), new PassThrough()];
  container.modem.demuxStream(stream, output, ignored.resume());
  stream.on('error', () => {}).once('close', () => output.end());
  pipeline(socket, stream, () => {});
  pipeline(output, socket, () => stream.destroy());
}

const program = `
const socket = require('node:net').connect({ port: Number(process.argv[1]), host: '127.0.0.1', allowHalfOpen: true });
process.stdin.pipe(socket).pipe(process.stdout);
socket.on('error', () => process.exit()).on('close', () => process.exit());`;
