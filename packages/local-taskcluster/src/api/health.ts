import { type Endpoint, endpoint } from './endpoint.ts';

/** Every service tells whether it is alive, and of which version it is. */
export function healthEndpoints(): Endpoint[] {
  return [
    endpoint({
      name: 'ping',
      method: 'get',
      route: '/ping',
      handle: () => ({ alive: true, uptime: process.uptime() }),
    }),
    endpoint({ name: 'lbheartbeat', method: 'get', route: '/__lbheartbeat__', handle: () => ({}) }),
    endpoint({ name: 'heartbeat', method: 'get', route: '/__heartbeat__', handle: () => ({}) }),
    endpoint({
      name: 'version',
      method: 'get',
      route: '/__version__',
      handle: () => ({ version: 'local', commit: '', source: '', build: '' }),
    }),
  ];
}
