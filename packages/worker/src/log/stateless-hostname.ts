import { createHmac, randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { WorkerConfig } from '../config/config.ts';

const digits = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * How people's browsers find this worker: the configured `host`, or a name under the configured domain whose
 * server makes the address out of the name itself. Such a name is valid until `expires`.
 */
export function hostnameOf(config: WorkerConfig, expires: Date): string {
  const { statelessHostname, publicIp, host } = config;
  const { enabled, secret = process.env.DNS_SERVER_SECRET, domain } = statelessHostname;
  if (
    !enabled ||
    secret === undefined ||
    domain === undefined ||
    publicIp === undefined ||
    !isIPv4(publicIp)
  ) {
    return host;
  }
  const expiry = Buffer.alloc(8);
  expiry.writeBigInt64BE(BigInt(expires.getTime()));
  const content = Buffer.concat([Buffer.from(publicIp.split('.').map(Number)), expiry, randomBytes(2)]);
  const signature = createHmac('sha256', secret).update(content).digest().subarray(0, 16);
  return `${base32(Buffer.concat([content, signature]))}.${domain}`;
}

/** Of a number of bits that five divides. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replace(/.{5}/g, (five) => digits[Number.parseInt(five, 2)] ?? '');
}
