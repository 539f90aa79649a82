import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { askIssuer } from './ask-issuer.ts';
import type { Token } from './token-cache.ts';

export interface TmpTokenRequest {
  dispatcher: Dispatcher;
  /** URL that tokens are posted to. */
  issuer: string;
  issuingToken: string;
  permissions: readonly string[];
}

/** Life of a temporary token in milliseconds. */
const lifeMs = 600_000;

const Issued = z.object({ result: z.object({ token: z.string().min(1) }) });

/** Has RelengAPI's token service issue a token for ten minutes. @throws IssuerError */
export async function issueTmpToken(request: TmpTokenRequest): Promise<Token> {
  const expires = Date.now() + lifeMs;
  const { result } = await askIssuer({
    dispatcher: request.dispatcher,
    url: request.issuer,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${request.issuingToken}` },
    body: JSON.stringify({
      typ: 'tmp',
      expires: new Date(expires).toISOString(),
      permissions: request.permissions,
      metadata: {},
    }),
    answer: Issued,
  });
  return { value: result.token, expires };
}
