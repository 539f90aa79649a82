/** Scopes with this prefix name a permission of the token that the proxy works with. */
export const permissionScopePrefix = 'docker-worker:relengapi-proxy:';

/** What the original's issuing tokens could hand on, and so what is allowed unless configured. */
export const defaultAllowedPermissions = ['tooltool.download.public', 'tooltool.download.internal'];

export interface Permissions {
  /** In the order of the scopes. */
  granted: string[];
  /** Scopes that ask for a permission and do not get it, with the reason. */
  refused: { scope: string; reason: string }[];
}

/**
 * The permissions that a task's scopes ask for. Wildcards are expanded in neither direction: a scope that
 * ends in `*` is no permission, and a scope such as `docker-worker:*` does not stand for any.
 */
export function permissionsFromScopes(scopes: readonly string[], allowed: readonly string[]): Permissions {
  const granted: string[] = [];
  const refused: Permissions['refused'] = [];
  for (const scope of scopes) {
    if (!scope.startsWith(permissionScopePrefix)) continue;
    const permission = scope.slice(permissionScopePrefix.length);
    if (permission === '') refused.push({ scope, reason: 'it names no permission' });
    else if (permission.includes('*')) refused.push({ scope, reason: 'wildcards are not expanded' });
    else if (!allowed.includes(permission))
      refused.push({ scope, reason: `only ${allowed.join(', ') || 'nothing'} is allowed here` });
    else granted.push(permission);
  }
  return { granted, refused };
}
