import { rawPath } from '@docker-worker/service-kit';

/** The route of our own that a request is for; all others are forwarded. */
export function routeName(
  method: string | undefined,
  rawUrl: string,
  credentialsEndpoint: boolean,
): string | undefined {
  if (rawUrl === '*' && method === 'OPTIONS') return '/server';
  const path = rawUrl.startsWith('/') ? rawUrl : rawPath(rawUrl);
  if (isRoute(path, '/bewit')) return '/bewit';
  if (credentialsEndpoint && isRoute(path, '/credentials')) return '/credentials';
  return undefined;
}

function isRoute(path: string, route: string): boolean {
  return path.startsWith(route) && (path.length === route.length || /^[?#]/.test(path.slice(route.length)));
}
