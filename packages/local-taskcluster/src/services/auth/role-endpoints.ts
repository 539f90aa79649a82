import { z } from 'zod';
import { type Endpoint, endpoint } from '../../api/endpoint.ts';
import { answerPage, type PageQuery, slicePage } from '../../api/page.ts';
import type { Role, Roles } from '../../auth/roles.ts';
import { ApiError } from '../../errors.ts';
import { scope, uniqueList } from '../../fields.ts';

const roleRequest = z.strictObject({
  description: z.string().max(10_240),
  scopes: uniqueList(scope),
});

/** Endpoints that manage roles. */
export function roleEndpoints(roles: Roles): Endpoint[] {
  function find(roleId: string): Role {
    const role = roles.get(roleId);
    if (!role) throw new ApiError('ResourceNotFound', `Role with roleId '${roleId}' not found`);
    return role;
  }

  function page(query: PageQuery) {
    return slicePage(
      roles.list().map((value) => ({ key: value.roleId, value })),
      query,
    );
  }

  function describe(role: Role): object {
    return { ...role, expandedScopes: roles.expand([`assume:${role.roleId}`]) };
  }

  return [
    endpoint({
      name: 'listRoles',
      method: 'get',
      route: '/roles/',
      scopes: 'auth:list-roles',
      handle: () => roles.list().map(describe),
    }),
    endpoint({
      name: 'listRoles2',
      method: 'get',
      route: '/roles2/',
      scopes: 'auth:list-roles',
      handle: ({ query }) => answerPage('roles', page(query), describe),
    }),
    endpoint({
      name: 'listRoleIds',
      method: 'get',
      route: '/roleids/',
      scopes: 'auth:list-roles',
      handle: ({ query }) => answerPage('roleIds', page(query), (_, roleId) => roleId),
    }),
    endpoint({
      name: 'role',
      method: 'get',
      route: '/roles/<roleId>',
      scopes: 'auth:get-role:<roleId>',
      handle: ({ params }) => describe(find(params.roleId)),
    }),
    endpoint({
      name: 'createRole',
      method: 'put',
      route: '/roles/<roleId>',
      scopes: { AllOf: ['auth:create-role:<roleId>', { for: 'scope', in: 'scopes', each: '<scope>' }] },
      scopeParameters: ({ body }) => ({ scopes: body.scopes }),
      input: roleRequest,
      handle({ params: { roleId }, body }) {
        const existing = roles.get(roleId);
        if (existing) {
          const isSame =
            existing.description === body.description &&
            existing.scopes.toSorted().join('\n') === body.scopes.toSorted().join('\n');
          if (isSame) return describe(existing);
          throw new ApiError('RequestConflict', `Role with id '${roleId}' already exists`);
        }
        const now = new Date().toJSON();
        const role = { ...body, roleId, created: now, lastModified: now };
        roles.put(role);
        return describe(role);
      },
    }),
    endpoint({
      name: 'updateRole',
      method: 'post',
      route: '/roles/<roleId>',
      scopes: {
        AllOf: ['auth:update-role:<roleId>', { for: 'scope', in: 'scopesAdded', each: '<scope>' }],
      },
      scopeParameters({ params, body }) {
        const current = find(params.roleId).scopes;
        return { scopesAdded: body.scopes.filter((each) => !current.includes(each)) };
      },
      input: roleRequest,
      handle({ params: { roleId }, body }) {
        const role = { ...find(roleId), ...body, lastModified: new Date().toJSON() };
        roles.put(role);
        return describe(role);
      },
    }),
    endpoint({
      name: 'deleteRole',
      method: 'delete',
      route: '/roles/<roleId>',
      scopes: 'auth:delete-role:<roleId>',
      handle: ({ params }) => void roles.delete(params.roleId),
    }),
  ];
}
