import type { HttpUrl } from '@docker-worker/service-kit';

/** Where a request goes. Its `path` holds the very bytes that are signed and sent. */
export interface Target extends HttpUrl {
  /** Which form the client used, for metrics. */
  route: 'root-url' | 'host';
}

/** Why there is no target: the answer to the client. */
export interface NoTarget {
  status: 400 | 403 | 404;
  text: string;
}

/**
 * Maps path and query of a request to its upstream: `/api/<service>/<version>/…` and its short form
 * without `/api` to the root URL, `/<host with a dot>/…` to that host by https. Nothing is normalized.
 */
export function resolveTarget(path: string, root: HttpUrl): Target | NoTarget {
  if (/%(?![0-9A-Fa-f]{2})/.test(pathOnly(path))) {
    return { status: 400, text: 'invalid percent-encoding in the path' };
  }
  const end = firstSegmentEnd(path);
  const first = path.slice(1, end);
  if (!isHostLabels(first)) {
    return { status: 404, text: `Unkown taskcluster service: ${first} is not a valid taskcluster service` };
  }
  if (first.includes('.')) return hostForm(first, path.slice(end));
  if (first === 'api') {
    return /^\/api\/[^/?]*\/[^/?]*\//.test(path)
      ? onRoot(root, path)
      : { status: 404, text: 'invalid /api path' };
  }
  return /^\/[^/?]+\/[^/?]+\//.test(path)
    ? onRoot(root, `/api${path}`)
    : { status: 404, text: `invalid path: it must be /${first}/<version>/<path>` };
}

function onRoot(root: HttpUrl, path: string): Target {
  const base = root.path === '/' ? '' : root.path;
  return { origin: root.origin, host: root.host, port: root.port, path: `${base}${path}`, route: 'root-url' };
}

function hostForm(name: string, rest: string): Target | NoTarget {
  const host = name.toLowerCase();
  // Connections are made by the WHATWG form of a host, in which `127.1` is 127.0.0.1: they must not differ.
  if (!URL.canParse(`https://${host}`) || new URL(`https://${host}`).hostname !== host) {
    return { status: 400, text: `${name} is not a host name in its usual form` };
  }
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return { origin: `https://${host}`, host, port: 443, path, route: 'host' };
}

function pathOnly(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}

function firstSegmentEnd(path: string): number {
  const end = path.slice(1).search(/[/?]/);
  return end === -1 ? path.length : end + 1;
}

function isHostLabels(text: string): boolean {
  return /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(text);
}
