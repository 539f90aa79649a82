import { type Endpoint, endpoint } from './endpoint.ts';

/** Every service answers whether it is alive. */
export function pingEndpoint(): Endpoint {
  return endpoint({
    name: 'ping',
    method: 'get',
    route: '/ping',
    handle: () => ({ alive: true, uptime: process.uptime() }),
  });
}
