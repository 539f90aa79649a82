import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { RouteAuth } from '../route-settings.ts';
import { askIssuer } from './ask-issuer.ts';
import type { Token } from './token-cache.ts';

type ClientCredentials = Extract<RouteAuth, { provider: 'oauth2-client-credentials' }>;

/** Seconds a token is used whose issuer does not say how long it lasts. */
const assumedSeconds = 300;

const Issued = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional(),
});

/** Obtains an access token by the client credentials grant (RFC 6749, 4.4). @throws IssuerError */
export async function issueClientCredentialsToken(
  auth: ClientCredentials,
  dispatcher: Dispatcher,
): Promise<Token> {
  const asked = Date.now();
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: auth.clientId,
    client_secret: auth.clientSecret,
    ...(auth.audience ? { audience: auth.audience } : {}),
    ...(auth.scope ? { scope: auth.scope } : {}),
  });
  const issued = await askIssuer({
    dispatcher,
    url: auth.tokenUrl,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form.toString(),
    answer: Issued,
  });
  return { value: issued.access_token, expires: asked + (issued.expires_in ?? assumedSeconds) * 1000 };
}
