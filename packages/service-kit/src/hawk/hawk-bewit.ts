import { type HawkCredentials, hawkMac } from './hawk-header.ts';
import { parseHttpUrl } from './http-url.ts';

/** Seconds for which a signed URL is valid. */
const bewitLifetime = 3_600;

/**
 * The URL with a bewit, which lets anyone GET it for an hour; undefined when the text is no http(s) URL.
 * Path and query stay as they are: the bytes signed are the bytes returned. A fragment is dropped.
 */
export function signUrl(text: string, credentials: HawkCredentials, now = Date.now()): string | undefined {
  const url = parseHttpUrl(text);
  if (!url) return undefined;
  // The verifier cuts the bewit out again together with the `?` or `&` before it.
  const resource =
    url.path.endsWith('?') && url.path.indexOf('?') === url.path.length - 1
      ? url.path.slice(0, -1)
      : url.path;
  const separator = resource.includes('?') ? '&' : '?';

  const expiry = Math.floor(now / 1000) + bewitLifetime;
  const mac = hawkMac(
    'bewit',
    { method: 'GET', resource, host: url.host, port: url.port },
    credentials,
    expiry,
    '',
  );
  const bewit = [credentials.id, expiry, mac, credentials.ext ?? ''].join('\\');
  return `${url.origin}${resource}${separator}bewit=${Buffer.from(bewit).toString('base64url')}`;
}
