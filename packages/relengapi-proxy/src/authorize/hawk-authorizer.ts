import { HawkKey, hawkHeader } from '@docker-worker/service-kit';
import type { Credentials } from '@docker-worker/service-kit/control';
import type { Authorizer } from './authorizer.ts';
import { IssuerError } from './issuer-error.ts';

export interface HawkAuthorizerOptions {
  /** Asked at each request, so that renewed credentials are used at once. */
  credentials(): Credentials | undefined;
  /** Scopes that the signature is restricted to. */
  authorizedScopes: readonly string[];
  signQuery: boolean;
}

/** Signs requests as Taskcluster services want it, restricted to the given scopes. */
export function hawkAuthorizer(options: HawkAuthorizerOptions): Authorizer {
  return {
    header({ method, host, port, path }) {
      const credentials = options.credentials();
      if (credentials === undefined)
        throw new IssuerError(502, 'NoCredentials', 'this proxy was given no Taskcluster credentials');
      const { clientId: id, accessToken, certificate } = credentials;
      const ext = {
        ...(certificate ? { certificate: JSON.parse(certificate) as unknown } : {}),
        authorizedScopes: options.authorizedScopes,
      };
      return hawkHeader(
        { method, host, port, resource: options.signQuery ? path : (path.split('?', 1)[0] ?? path) },
        {
          id,
          key: new HawkKey(accessToken),
          ext: Buffer.from(JSON.stringify(ext)).toString('base64'),
        },
      );
    },
  };
}
