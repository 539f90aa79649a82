import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import type { Authenticator, Identity } from './authenticator.ts';

/**
 * Tells who sent a request. What callers sign is the host they meant: the one of the Host header, or that of
 * `publicUrl` when a proxy in front has changed the header. Throws AuthenticationFailed.
 */
export async function identify(
  request: FastifyRequest,
  authenticator: Authenticator,
  publicUrl: URL,
): Promise<Identity> {
  const { method = 'GET', url: resource = '', headers } = request.raw;
  const signed = { method, resource, authorization: headers.authorization };
  const seen = hostAndPort(parseHost(headers.host, publicUrl) ?? publicUrl);
  try {
    return await authenticator.authenticate({ ...signed, ...seen });
  } catch (error) {
    const meant = hostAndPort(publicUrl);
    if (meant.host !== seen.host || meant.port !== seen.port) {
      const identity = await authenticator.authenticate({ ...signed, ...meant }).catch(() => undefined);
      if (identity) return identity;
    }
    throw new ApiError('AuthenticationFailed', error instanceof Error ? error.message : String(error));
  }
}

function parseHost(host: string | undefined, publicUrl: URL): URL | undefined {
  const url = `${publicUrl.protocol}//${host}`;
  return host !== undefined && URL.canParse(url) ? new URL(url) : undefined;
}

function hostAndPort({ hostname, port, protocol }: URL): { host: string; port: number } {
  // Callers sign an IPv6 address without its brackets.
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port ? Number(port) : protocol === 'https:' ? 443 : 80,
  };
}
