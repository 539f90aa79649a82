import { z } from 'zod';
import { type Endpoint, endpoint } from '../../api/endpoint.ts';
import { answerPage, listPage } from '../../api/page.ts';
import { type Client, type Clients, newAccessToken } from '../../auth/clients.ts';
import type { Roles } from '../../auth/roles.ts';
import { ApiError } from '../../errors.ts';
import { datetime, scope, uniqueList } from '../../fields.ts';

const clientRequest = z.strictObject({
  description: z.string().max(10_240),
  expires: datetime,
  scopes: uniqueList(scope).optional(),
  deleteOnExpiration: z.boolean().default(false),
});

/** Endpoints that manage clients. */
export function clientEndpoints(clients: Clients, roles: Roles): Endpoint[] {
  function find(clientId: string): Client {
    const client = clients.get(clientId);
    if (!client) throw new ApiError('ResourceNotFound', `Client with clientId '${clientId}' not found`);
    return client;
  }

  function describe({ accessToken: _secret, ...client }: Client): object {
    return { ...client, lastDateUsed: client.lastModified, expandedScopes: roles.expand(client.scopes) };
  }

  return [
    endpoint({
      name: 'listClients',
      method: 'get',
      route: '/clients/',
      scopes: 'auth:list-clients',
      handle: ({ query }) =>
        answerPage('clients', listPage(clients.collection, query, query.prefix), describe),
    }),
    endpoint({
      name: 'client',
      method: 'get',
      route: '/clients/<clientId>',
      scopes: 'auth:get-client:<clientId>',
      handle: ({ params }) => describe(find(params.clientId)),
    }),
    endpoint({
      name: 'createClient',
      method: 'put',
      route: '/clients/<clientId>',
      scopes: {
        AllOf: ['auth:create-client:<clientId>', { for: 'scope', in: 'scopes', each: '<scope>' }],
      },
      scopeParameters: ({ body }) => ({ scopes: body.scopes ?? [] }),
      input: clientRequest,
      handle({ params: { clientId }, body }) {
        const existing = clients.get(clientId);
        if (existing) {
          const { description, expires } = existing;
          const isSame = description === body.description && expires === body.expires;
          if (isSame && sameScopes(existing.scopes, body.scopes ?? [])) return withToken(existing);
          throw new ApiError('RequestConflict', `client with id '${clientId}' already exists`);
        }
        const now = new Date().toJSON();
        const client = {
          ...body,
          clientId,
          scopes: body.scopes ?? [],
          accessToken: newAccessToken(),
          ...{ created: now, lastModified: now, lastRotated: now, disabled: false },
        };
        clients.put(client);
        return withToken(client);
      },
    }),
    endpoint({
      name: 'updateClient',
      method: 'post',
      route: '/clients/<clientId>',
      scopes: {
        AllOf: ['auth:update-client:<clientId>', { for: 'scope', in: 'scopesAdded', each: '<scope>' }],
      },
      scopeParameters({ params, body }) {
        const current = find(params.clientId).scopes;
        return { scopesAdded: (body.scopes ?? []).filter((each) => !current.includes(each)) };
      },
      input: clientRequest,
      handle({ params: { clientId }, body }) {
        const client = find(clientId);
        const scopes = body.scopes ?? client.scopes;
        const updated = { ...client, ...body, scopes, lastModified: new Date().toJSON() };
        clients.put(updated);
        return describe(updated);
      },
    }),
    endpoint({
      name: 'resetAccessToken',
      method: 'post',
      route: '/clients/<clientId>/reset',
      scopes: 'auth:reset-access-token:<clientId>',
      handle({ params: { clientId } }) {
        const lastRotated = new Date().toJSON();
        const client = { ...find(clientId), accessToken: newAccessToken(), lastRotated };
        clients.put(client);
        return withToken(client);
      },
    }),
    ...(['enable', 'disable'] as const).map((action) =>
      endpoint({
        name: `${action}Client`,
        method: 'post',
        route: `/clients/<clientId>/${action}`,
        scopes: `auth:${action}-client:<clientId>`,
        handle({ params }) {
          const disabled = action === 'disable';
          const client = { ...find(params.clientId), disabled, lastModified: new Date().toJSON() };
          clients.put(client);
          return describe(client);
        },
      }),
    ),
    endpoint({
      name: 'deleteClient',
      method: 'delete',
      route: '/clients/<clientId>',
      scopes: 'auth:delete-client:<clientId>',
      handle: ({ params }) => void clients.delete(params.clientId),
    }),
  ];

  function withToken(client: Client): object {
    return { ...describe(client), accessToken: client.accessToken };
  }
}

function sameScopes(one: string[], other: string[]): boolean {
  return one.toSorted().join('\n') === other.toSorted().join('\n');
}
