import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { listening } from '@docker-worker/service-kit/testing/listening';

export interface Relay extends AsyncDisposable {
  /** Of the host that the relay was started for. */
  port: number;
}

export interface RelayTarget {
  address: string;
  port: number;
}

/** Passes connections to a port of `host` on. */
export async function relayTcp(host: string, target: RelayTarget): Promise<Relay> {
  const server = createServer((socket) => {
    const onward = connect(target.port, target.address);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => {});
      one.once('close', () => other.destroy());
      one.pipe(other);
    }
  });
  return await listening(server, { host, port: 0 });
}

/** Passes datagrams to a port of `host` on, and the answers back, with a socket of its own for each client. */
export async function relayUdp(host: string, target: RelayTarget): Promise<Relay> {
  const onward = new Map<string, UdpSocket>();
  const socket = createSocket('udp4');
  socket.on('message', (datagram, { address, port }) => {
    const client = `${address}:${port}`;
    let way = onward.get(client);
    if (way === undefined) {
      way = createSocket('udp4');
      way.on('message', (answer) => socket.send(answer, port, address));
      // What comes when nobody listens there is what the test wants to happen.
      way.on('error', () => {});
      onward.set(client, way);
    }
    way.send(datagram, target.port, target.address);
  });
  socket.on('error', () => {});
  socket.bind(0, host);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      for (const way of onward.values()) way.close();
      socket.close();
      await once(socket, 'close');
    },
  };
}
