import type { Authorizer } from './authorizer.ts';
import { TokenCache, type TokenCacheOptions } from './token-cache.ts';

/** Sends the token of a cache, and forgets one that the upstream refuses. */
export function bearerAuthorizer(options: TokenCacheOptions): Authorizer {
  const tokens = new TokenCache(options);
  return {
    header: async () => `Bearer ${await tokens.get()}`,
    refused(header) {
      tokens.forget(header.slice('Bearer '.length));
      return true;
    },
  };
}
