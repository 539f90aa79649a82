import type { IncomingMessage } from 'node:http';
import { endToEndHeaders } from '@docker-worker/service-kit';

/** Set by the proxy, whatever the client says. */
const replaced = new Set(['host', 'x-forwarded-host', 'x-real-ip', 'x-forwarded-for', 'x-nginx-proxy']);

/** The client's headers, `Authorization` among them, with those that the original's nginx set. */
export function outgoingHeaders(request: IncomingMessage, host: string): string[] {
  const headers = endToEndHeaders(request.rawHeaders, replaced);
  const client = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const before = request.headers['x-forwarded-for'];
  headers.push('Host', host);
  headers.push('X-Forwarded-Host', request.headers.host ?? '');
  headers.push('X-Real-IP', client);
  headers.push('X-Forwarded-For', before ? `${before}, ${client}` : client);
  headers.push('X-NginX-Proxy', 'true');
  return headers;
}

/** `Location` of the upstream itself becomes one of this proxy; others stay. Takes and gives a flat list. */
export function relativeLocation(headers: string[], origin: string, base: string): string[] {
  return headers.map((value, index) => {
    if (index % 2 === 0 || headers[index - 1]?.toLowerCase() !== 'location') return value;
    if (!value.toLowerCase().startsWith(origin.toLowerCase())) return value;
    const rest = value.slice(origin.length);
    if (!/^([/?#]|$)/.test(rest)) return value;
    const path = base !== '' && rest.startsWith(`${base}/`) ? rest.slice(base.length) : rest;
    return path.startsWith('/') ? path : `/${path}`;
  });
}
