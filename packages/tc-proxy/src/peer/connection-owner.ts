import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';

/** One end of a TCP connection. */
export interface Endpoint {
  address: string;
  port: number;
}

/**
 * The user id of the process on this machine (or in this container) that holds the other end of a connection; undefined
 * when no process here does. Linux only: `/proc/net/tcp` and `/proc/net/tcp6` list the sockets of this network namespace.
 *
 * @param peer the other end, which is the local end of the socket that is looked for
 * @param own our end
 * @param tables for tests; default: read at this moment
 */
export function connectionOwner(peer: Endpoint, own: Endpoint, tables = readTables()): number | undefined {
  const wanted = spellings(peer).flatMap((local) => spellings(own).map((remote) => `${local} ${remote}`));
  for (const line of tables.split('\n')) {
    const [, local, remote, , , , , uid] = line.trim().split(/\s+/);
    if (uid !== undefined && wanted.includes(`${local} ${remote}`)) return Number(uid);
  }
  return undefined;
}

function readTables(): string {
  return ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readOrNothing(file)).join('\n');
}

/** A kernel without IPv6 has no table for it. */
function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** An IPv4 end is listed in the one table, or mapped into IPv6 in the other. */
function spellings({ address, port }: Endpoint): string[] {
  const suffix = port.toString(16).toUpperCase().padStart(4, '0');
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain)) {
    const bytes = plain.split('.').map(Number);
    const mapped = [...new Array<number>(10).fill(0), 0xff, 0xff, ...bytes];
    return [`${hexWords(bytes)}:${suffix}`, `${hexWords(mapped)}:${suffix}`];
  }
  return isIPv6(plain) ? [`${hexWords(ipv6Bytes(plain))}:${suffix}`] : [];
}

/** The kernel prints each 32-bit word as this machine stores it: little-endian. */
function hexWords(bytes: readonly number[]): string {
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
  let text = '';
  for (let index = 0; index < bytes.length; index += 4) {
    text += bytes
      .slice(index, index + 4)
      .reverse()
      .map(hex)
      .join('');
  }
  return text;
}

function ipv6Bytes(address: string): number[] {
  // The URL parser knows all spellings and gives one, in which only `::` is left to be filled in.
  const [head = '', tail] = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const missing = 8 - groups(head).length - groups(tail).length;
  const filled = tail === undefined ? [] : new Array<string>(missing).fill('0');
  return [...groups(head), ...filled, ...groups(tail)].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
