import type { SeenRequest } from '@docker-worker/local-taskcluster';
import type { Client } from 'taskcluster-client';
import { ownWords } from '../../queue/refusal-text.ts';
import { UserError } from '../../user-error.ts';

/** Scopes by the id of the role that grants them. */
export type RoleScopes = Map<string, string[]>;

const assume = 'assume:';

/** `assume:ROLE=SCOPE,SCOPE` arguments of `--role`; what is said of one role adds up. */
export function parseRoles(values: string[]): RoleScopes {
  const roles: RoleScopes = new Map();
  for (const value of values) {
    const at = value.indexOf('=');
    const role = value.slice(0, Math.max(0, at)).replace(/^assume:/, '');
    const scopes = value
      .slice(at + 1)
      .split(',')
      .map((scope) => scope.trim())
      .filter((scope) => scope !== '');
    if (role === '' || scopes.length === 0) {
      throw new UserError(
        `--role wants ROLE=SCOPE,SCOPE, as in --role 'assume:repo:github.com/org/repo:*=queue:create-task:lowest:local/run-task'.`,
      );
    }
    roles.set(role, [...(roles.get(role) ?? []), ...scopes]);
  }
  return roles;
}

export async function createRoles(auth: Client, roles: RoleScopes): Promise<void> {
  const description = 'As --role says it.';
  await Promise.all(
    [...roles].map(([role, scopes]) =>
      auth.createRole(role, { description, scopes }).catch((error: Error) => {
        throw new UserError(`--role ${role}: ${ownWords(error.message)}`);
      }),
    ),
  );
}

/** The roles that tasks assume and of which nothing is known here. */
export function unknownRoles(scopes: string[], roles: RoleScopes): string[] {
  const assumed = scopes
    .filter((scope) => scope.startsWith(assume))
    .map((scope) => scope.slice(assume.length));
  const known = (role: string) =>
    [...roles.keys()].some((one) => one === role || covers(one, role) || covers(role, one));
  return [...new Set(assumed)].filter((role) => !known(role));
}

function covers(pattern: string, role: string): boolean {
  return pattern.endsWith('*') && role.startsWith(pattern.slice(0, -1));
}

export function unknownRoleText(role: string): string {
  return `the role ${role} is not known here, so that it grants nothing; say what it does by --role 'assume:${role}=SCOPE,SCOPE'`;
}

/** What somebody can do about a request that was refused for want of scopes. */
export function missingScopesText({ method, path, missingScopes }: SeenRequest, scopes: string[]): string {
  const lacked = scopesOf(missingScopes);
  const role = scopes.find((scope) => scope.startsWith(assume));
  const mend =
    role === undefined
      ? lacked.map((scope) => `--scope '${scope}'`).join(' ')
      : `--role '${role}=${lacked.join(',')}'`;
  const why = role === undefined ? '' : ` (by its scopes, or by the role ${role.slice(assume.length)})`;
  return `${method} ${path} was refused: the task lacks ${lacked.join(', ')}${why}; to give it that, add ${mend}`;
}

/** Scopes that satisfy an expression. Of alternatives as few as will do, and the last of those: the most urgent priority stands first. */
function scopesOf(expression: unknown): string[] {
  if (typeof expression === 'string') {
    return [expression];
  }
  const { AllOf: all = [], AnyOf: any = [] } = expression as { AllOf?: unknown[]; AnyOf?: unknown[] };
  const [least = []] = any
    .map(scopesOf)
    .toReversed()
    .sort((one, other) => one.length - other.length);
  return [...all.flatMap(scopesOf), ...least];
}
