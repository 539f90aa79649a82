import { lookup as systemLookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { Tunnel } from '../tunnel/tunnel.ts';

const timeoutMs = 3_000;
const tries = 2;

interface Address {
  address: string;
  family: number;
}

/**
 * Finds the upstream's address: pinned ones first, then by the name servers that the VPN has pushed, and
 * by the system's only when it has pushed none. What is asked is asked through the tunnel.
 */
export function upstreamLookup(pinned: readonly string[], dns: () => Tunnel['dns']): LookupFunction {
  const addresses = new Map<string, Address>();
  for (const entry of pinned) {
    const colon = entry.indexOf(':');
    const address = entry.slice(colon + 1).replace(/^\[(.*)\]$/, '$1');
    addresses.set(entry.slice(0, colon).toLowerCase(), { address, family: isIP(address) });
  }

  return function lookup(hostname, options, callback) {
    const pin = addresses.get(hostname.toLowerCase());
    const { servers, domain } = dns();
    if (!pin && servers.length === 0) {
      systemLookup(hostname, options as object, callback as never);
      return;
    }
    const found = pin ? Promise.resolve([pin]) : ask(hostname, servers, domain);
    found.then(
      (list) => {
        const family = Number(options.family) || 0;
        const fitting = family === 0 ? list : list.filter((item) => item.family === family);
        const [first] = fitting;
        if (!first) callback(notFound(hostname), '');
        else if (options.all) callback(null, fitting);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

async function ask(
  hostname: string,
  servers: readonly string[],
  domain: string | undefined,
): Promise<Address[]> {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  resolver.setServers(servers.map((server) => (server.includes(':') ? `[${server}]` : server)));
  const name = domain && !hostname.includes('.') ? `${hostname}.${domain}` : hostname;
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const list = [
    ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
    ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : []),
  ];
  if (list.length > 0) return list;
  const { code } = (v4.status === 'rejected' ? v4.reason : {}) as NodeJS.ErrnoException;
  throw code === 'ENOTFOUND' || code === 'ENODATA' || code === undefined
    ? notFound(hostname)
    : Object.assign(new Error(`the VPN's name servers do not answer for ${hostname}`), { code: 'EAI_AGAIN' });
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
}
