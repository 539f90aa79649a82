import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser says that a request was made by a page of this server. All browsers say so of what changes something; who
 * says nothing is refused.
 */
export function isOwnPage({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined) {
    return site === 'same-origin';
  }
  return origin !== undefined && URL.parse(origin)?.host === host;
}
