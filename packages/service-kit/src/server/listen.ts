import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ServiceError } from '../service-error.ts';

/** A Fastify app, or what listens as one does. */
export interface Listener {
  server: Server;
  listen(address: { port: number; host: string }): PromiseLike<unknown>;
}

/** Opens the app's port (0 takes a free one) and returns it. Without an address: on all interfaces. */
export async function listen(app: Listener, port: number, address?: string): Promise<number> {
  try {
    await app.listen({ port, host: address ?? allInterfaces() });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'the port is in use' : message;
    throw new ServiceError(`cannot listen on ${address ?? 'all interfaces'} port ${port}: ${reason}`);
  }
  return (app.server.address() as AddressInfo).port;
}

/** `::` takes IPv4 too, but cannot be bound where IPv6 is switched off, as in many containers. */
function allInterfaces(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}
