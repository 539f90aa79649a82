import { randomFillSync } from 'node:crypto';
import type { HawkKey } from './hawk-key.ts';

/** Who signs. */
export interface HawkCredentials {
  id: string;
  key: HawkKey;
  /** Base64 of the JSON that names certificate and authorized scopes; absent when there is neither. */
  ext?: string;
}

/** What is signed, exactly as it is sent. */
export interface HawkRequest {
  method: string;
  /** Lower case, without port; IPv6 in brackets. */
  host: string;
  port: number;
  /** Path and query as they go over the wire. */
  resource: string;
}

/**
 * The `Authorization` header of Hawk 1 with SHA-256, without a payload hash.
 *
 * Written here because the hawk package takes what it signs from a parsed URL, which rewrites some
 * characters; the bytes signed must be the bytes sent. Its server side verifies this code in the tests.
 */
export function hawkHeader(request: HawkRequest, credentials: HawkCredentials, now = Date.now()): string {
  const ts = Math.floor(now / 1000);
  const nonce = nextNonce();
  const mac = hawkMac('header', request, credentials, ts, nonce);
  const ext = credentials.ext === undefined ? '' : `ext="${credentials.ext}", `;
  return `Hawk id="${credentials.id}", ts="${ts}", nonce="${nonce}", ${ext}mac="${mac}"`;
}

/** Base64 of the MAC over Hawk's normalized text; `type` tells a header from a bewit. */
export function hawkMac(
  type: 'header' | 'bewit',
  { method, resource, host, port }: HawkRequest,
  { key, ext = '' }: HawkCredentials,
  ts: number,
  nonce: string,
): string {
  const text = `hawk.1.${type}\n${ts}\n${nonce}\n${method}\n${resource}\n${host}\n${port}\n\n${ext}\n`;
  return key.mac(text);
}

const nonceBytes = 6;
const randomPool = Buffer.alloc(nonceBytes * 512);
let used = randomPool.length;

/** Eight random characters. Random bytes are taken in bulk: one call for each request would be felt. */
function nextNonce(): string {
  if (used === randomPool.length) {
    randomFillSync(randomPool);
    used = 0;
  }
  const start = used;
  used += nonceBytes;
  return randomPool.toString('base64url', start, used);
}
