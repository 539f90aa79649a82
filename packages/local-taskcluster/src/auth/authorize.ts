import { removeGivenScopes, satisfiesExpression } from 'taskcluster-lib-scopes';
import { InsufficientScopes } from '../errors.ts';
import type { Identity } from './authenticator.ts';
import type { ScopeExpression } from './scope-template.ts';

/** Throws InsufficientScopes, naming what is missing, unless the caller satisfies the expression. */
export function authorize(identity: Identity, required: ScopeExpression): void {
  if (satisfiesExpression(identity.scopes, required)) return;
  const missing = removeGivenScopes(identity.scopes, required);
  const who =
    identity.clientId === undefined
      ? 'A caller without credentials does'
      : `Client ID ${identity.clientId} does`;
  throw new InsufficientScopes(
    missing,
    identity.clientId,
    [
      `${who} not have sufficient scopes and is missing the following scopes:`,
      ...['', '```', format(missing), '```', ''],
      'This request requires the client to satisfy the following scope expression:',
      ...['', '```', format(required), '```'],
    ].join('\n'),
  );
}

function format(expression: unknown): string {
  return typeof expression === 'string' ? expression : JSON.stringify(expression, null, 2);
}
