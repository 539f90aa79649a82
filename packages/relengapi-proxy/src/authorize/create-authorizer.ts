import { type Logger, ServiceError } from '@docker-worker/service-kit';
import type { Credentials } from '@docker-worker/service-kit/control';
import type { Dispatcher } from 'undici';
import type { RouteAuth } from '../route-settings.ts';
import type { Authorizer } from './authorizer.ts';
import { bearerAuthorizer } from './bearer-authorizer.ts';
import { issueClientCredentialsToken } from './client-credentials-token.ts';
import { hawkAuthorizer } from './hawk-authorizer.ts';
import type { IssuerHealth } from './issuer-health.ts';
import { issueTmpToken } from './relengapi-tmp-token.ts';
import { staticTokenAuthorizer } from './static-token-authorizer.ts';
import type { Token } from './token-cache.ts';

export interface AuthorizerContext {
  dispatcher: Dispatcher;
  /** Permissions that the task's scopes give. */
  permissions: readonly string[];
  scopes: readonly string[];
  issuingToken?: string;
  credentials(): Credentials | undefined;
  learnSecret(secret: string): void;
  health: IssuerHealth;
  logger: Logger;
}

/** Milliseconds before the expiry of a token from which on the next one is issued in the background. */
const renewEarlyMs = 60_000;

/** What authorizes the requests of a route. @throws ServiceError when the configuration lacks something for it */
export function createAuthorizer(auth: RouteAuth, context: AuthorizerContext): Authorizer {
  const { dispatcher, permissions, learnSecret, logger } = context;
  switch (auth.provider) {
    case 'relengapi-tmp-token': {
      const issuingToken = auth.issuingToken ?? context.issuingToken;
      if (issuingToken === undefined)
        throw new ServiceError('--relengapi-token: a route needs an issuing token and none is given');
      const { issuer } = auth;
      learnSecret(issuingToken);
      return bearer(issuer, () => issueTmpToken({ dispatcher, issuer, issuingToken, permissions }));
    }
    case 'oauth2-client-credentials':
      learnSecret(auth.clientSecret);
      return bearer(auth.tokenUrl, () => issueClientCredentialsToken(auth, dispatcher));
    case 'taskcluster-hawk': {
      const { scopes, credentials, signQuery } = auth;
      if (credentials) learnSecret(credentials.accessToken);
      return hawkAuthorizer({
        credentials: () => credentials ?? context.credentials(),
        authorizedScopes: scopes
          ? permissions.flatMap((permission) => scopes[permission] ?? [])
          : context.scopes,
        signQuery,
      });
    }
    case 'static-token-file':
      if ((auth.file === undefined) === (auth.token === undefined))
        throw new ServiceError('static-token-file takes either "file" or "token"');
      return staticTokenAuthorizer(auth, learnSecret);
    case 'none':
      return { header: () => undefined };
  }

  function bearer(issuer: string, issue: () => Promise<Token>): Authorizer {
    return bearerAuthorizer({
      async issue() {
        const token = await context.health.watch(issuer, issue);
        learnSecret(token.value);
        return token;
      },
      renewEarlyMs,
      onRenewalFailed: (error) => logger.warn({ err: error }, 'the token could not be renewed early'),
    });
  }
}
