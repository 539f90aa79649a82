import { scopeUnion } from 'taskcluster-lib-scopes';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

export interface Role {
  roleId: string;
  scopes: string[];
  description: string;
  created: string;
  lastModified: string;
}

/** What a deployment usually gives everybody, credentials or not; a new one has no such role until somebody makes it. */
const ANONYMOUS_SCOPES: readonly string[] = [
  'auth:get-client:*',
  'auth:get-role:*',
  'auth:list-clients',
  'auth:list-roles',
  'auth:expand-scopes',
  'auth:current-scopes',
  'index:find-task:*',
  'index:list-namespaces:*',
  'index:list-tasks:*',
  'queue:get-artifact:public/*',
  'queue:get-task:*',
  'queue:status:*',
  'queue:list-artifacts:*',
  'queue:list-task-group:*',
  'queue:list-dependent-tasks:*',
  'queue:pending-count:*',
  'worker-manager:get-worker-pool:*',
  'worker-manager:list-worker-pools',
];

const PARAMETER = '<..>';

/** The roles, and the expansion of `assume:` scopes with them. */
export class Roles {
  readonly #roles: Collection<Role>;
  readonly #expanded = new Map<string, string[]>();

  constructor(database: Database) {
    this.#roles = new Collection(database, 'role');
  }

  /** Makes the role of everybody, unless there is one. */
  ensureAnonymous(): void {
    if (this.get('anonymous')) return;
    const now = new Date().toJSON();
    const description = 'Scopes of everybody, with or without credentials.';
    const scopes = [...ANONYMOUS_SCOPES];
    this.put({ roleId: 'anonymous', scopes, description, created: now, lastModified: now });
  }

  get(roleId: string): Role | undefined {
    return this.#roles.get(roleId);
  }

  list(): Role[] {
    return this.#roles.values();
  }

  put(role: Role): void {
    this.#roles.put(role.roleId, role);
    this.#expanded.clear();
  }

  delete(roleId: string): void {
    this.#roles.delete(roleId);
    this.#expanded.clear();
  }

  /** The scopes and, transitively, those of every role they assume; sorted, without redundant ones. */
  expand(scopes: readonly string[]): string[] {
    if (scopes.includes('*')) return ['*'];
    const cacheKey = scopes.join('\n');
    let expanded = this.#expanded.get(cacheKey);
    if (!expanded) {
      expanded = this.#expand(scopes);
      this.#expanded.set(cacheKey, expanded);
      // Task credentials have scopes of their own, so that the cache would only ever grow.
      const [oldest] = this.#expanded.keys();
      if (this.#expanded.size > 500 && oldest !== undefined) this.#expanded.delete(oldest);
    }
    return [...expanded];
  }

  #expand(scopes: readonly string[]): string[] {
    const roles = this.list();
    const seen = new Set(scopes);
    // A Set is iterated in order of insertion, including what is added on the way.
    for (const scope of seen) {
      for (const role of roles) {
        for (const granted of scopesThrough(scope, role)) seen.add(granted);
      }
    }
    return scopeUnion([...seen], []);
  }
}

/** What `scope` gains from one role: nothing unless it assumes the role. */
function scopesThrough(scope: string, role: Role): string[] {
  const assume = `assume:${role.roleId}`;
  const isPattern = assume.endsWith('*');
  const stem = isPattern ? assume.slice(0, -1) : assume;
  if (scope.endsWith('*') && stem.startsWith(scope.slice(0, -1))) {
    return role.scopes.map((granted) => (isPattern ? substitute(granted, '*') : granted));
  }
  if (isPattern && scope.startsWith(stem)) {
    return role.scopes.map((granted) => substitute(granted, scope.slice(stem.length)));
  }
  return scope === assume ? role.scopes : [];
}

/** Fills `<..>` of a parameterized role. A star stands for any text, so that what follows it is unknown. */
function substitute(scope: string, parameter: string): string {
  const at = scope.indexOf(PARAMETER);
  if (at < 0) return scope;
  const head = scope.slice(0, at) + parameter;
  return parameter.endsWith('*') ? head : head + scope.slice(at + PARAMETER.length);
}
