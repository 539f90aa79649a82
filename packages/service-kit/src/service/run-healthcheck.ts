import http from 'node:http';
import { standardError } from '../io/standard-streams.ts';
import { defaultAdminAddress, defaultAdminPort } from '../options/service-config.ts';

const timeoutMs = 3_000;

/** Asks the admin listener of the running instance whether it is alive: 0 if so, else 1. */
export function runHealthcheck(input: Record<string, unknown>): Promise<0 | 1> {
  const port = typeof input.adminPort === 'number' ? input.adminPort : defaultAdminPort;
  const address = typeof input.adminAddress === 'string' ? input.adminAddress : defaultAdminAddress;

  return new Promise((resolve) => {
    const request = http.get({
      host: reachable(address),
      port,
      path: '/live',
      timeout: timeoutMs,
      agent: false,
    });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 0 : 1);
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', (error) => {
      standardError.write(`health check of ${address} port ${port} failed: ${error.message}\n`);
      resolve(1);
    });
  });
}

/** "All interfaces" is an address to listen on, not one to connect to. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
