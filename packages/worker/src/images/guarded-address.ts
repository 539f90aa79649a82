import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { metadataAddresses } from '../firewall/metadata-addresses.ts';

const forbidden = new BlockList();
for (const [family, addresses] of [
  ['ipv4', metadataAddresses.v4],
  ['ipv6', metadataAddresses.v6],
] as const) {
  for (const address of addresses) {
    const [start = '', prefix] = address.split('/');
    if (prefix === undefined) forbidden.addAddress(start, family);
    else forbidden.addSubnet(start, Number(prefix), family);
  }
}

/** Where a task may not make its worker go: the services that hand out the credentials of the machine. */
export class ForbiddenAddress extends Error {
  constructor(host: string) {
    super(`it leads to ${host}, an address that no artifact is fetched from`);
    this.name = 'ForbiddenAddress';
  }
}

/** @throws ForbiddenAddress for a URL with such an address in it; a name is looked at when it is resolved */
export function requireAllowedAddress(url: string): void {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
  if (isForbidden(host)) {
    throw new ForbiddenAddress(host);
  }
}

/** Like `dns.lookup`, but a name that stands for a forbidden address is not found. */
export function guardedLookup(resolve: typeof lookup = lookup): LookupFunction {
  return (host, options, done) => {
    resolve(host, options as object, (error, address, family) => {
      const found = (Array.isArray(address) ? address : [{ address }]) as LookupAddress[];
      const refused = found?.some((one) => isForbidden(one?.address ?? ''));
      done(refused ? new ForbiddenAddress(host) : error, address as never, family as never);
    });
  };
}

/** Connections for downloads whose addresses a task may have chosen, redirects among them. */
export const guardedDispatcher = new Agent({ connect: { lookup: guardedLookup() } });

function isForbidden(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && forbidden.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
