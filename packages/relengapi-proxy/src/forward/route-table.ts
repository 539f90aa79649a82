import type { Authorizer } from '../authorize/authorizer.ts';

export interface AuthorizedRoute {
  /** Slashes at its end do not count; `/` takes all paths. */
  prefix: string;
  strip: boolean;
  /** Origin, with a base path if there is one. */
  upstream: string;
  authorizer: Authorizer;
}

export interface RoutedRequest {
  route: AuthorizedRoute;
  /** Scheme and authority. */
  origin: string;
  /** Path and query for the upstream, as the client sent them but for the prefix. */
  path: string;
}

/** Finds the upstream of a path; the longest prefix wins. Whole segments count: `/tooltool` is no prefix of `/tooltools`. */
export class RouteTable {
  readonly #routes: readonly AuthorizedRoute[];

  constructor(routes: readonly AuthorizedRoute[]) {
    const trimmed = routes.map((route) => ({
      ...route,
      prefix: route.prefix.replace(/\/+$/, ''),
      upstream: route.upstream.replace(/\/+$/, ''),
    }));
    this.#routes = trimmed.toSorted((a, b) => b.prefix.length - a.prefix.length);
  }

  get prefixes(): string[] {
    return this.#routes.map(({ prefix }) => prefix || '/');
  }

  find(path: string): RoutedRequest | undefined {
    const route = this.#routes.find(
      ({ prefix }) => path.startsWith(prefix) && /^([/?]|$)/.test(path.slice(prefix.length)),
    );
    if (!route) return undefined;
    const { origin, base } = split(route.upstream);
    const rest = route.strip ? path.slice(route.prefix.length) : path;
    return { route, origin, path: `${base}${rest.startsWith('/') ? '' : '/'}${rest}` };
  }
}

function split(upstream: string): { origin: string; base: string } {
  const end = upstream.indexOf('/', upstream.indexOf('//') + 2);
  return end === -1
    ? { origin: upstream, base: '' }
    : { origin: upstream.slice(0, end), base: upstream.slice(end) };
}
