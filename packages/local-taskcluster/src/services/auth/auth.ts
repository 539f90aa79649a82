import { z } from 'zod';
import { type Endpoint, endpoint, type Service } from '../../api/endpoint.ts';
import { healthEndpoints } from '../../api/health.ts';
import { Authenticator, type Identity } from '../../auth/authenticator.ts';
import { authorize } from '../../auth/authorize.ts';
import type { Clients } from '../../auth/clients.ts';
import { identify } from '../../auth/identify.ts';
import type { Roles } from '../../auth/roles.ts';
import { scope, uniqueList } from '../../fields.ts';
import { clientEndpoints } from './client-endpoints.ts';
import { roleEndpoints } from './role-endpoints.ts';

/** Anybody may test a client implementation as this one: it opens no door. */
const TESTER = { clientId: 'tester', accessToken: 'no-secret' };
const TESTER_GET_SCOPES = ['test:*', 'auth:create-client:test:*'];
const HOUR_MS = 60 * 60_000;

const scopeSet = z.strictObject({ scopes: uniqueList(scope) });

export interface AuthServiceOptions {
  clients: Clients;
  roles: Roles;
  authenticator: Authenticator;
  publicUrl(): URL;
}

export function authService(options: AuthServiceOptions): Service {
  const { clients, roles } = options;
  return {
    name: 'auth',
    endpoints: [
      ...healthEndpoints(),
      ...clientEndpoints(clients, roles),
      ...roleEndpoints(roles),
      endpoint({
        name: 'expandScopes',
        method: 'post',
        route: '/scopes/expand',
        scopes: 'auth:expand-scopes',
        input: scopeSet,
        handle: ({ body }) => ({ scopes: roles.expand(body.scopes) }),
      }),
      endpoint({
        name: 'currentScopes',
        method: 'get',
        route: '/scopes/current',
        scopes: 'auth:current-scopes',
        handle: ({ identity }) => ({ scopes: identity.scopes }),
      }),
      ...authenticationEndpoints(options),
    ],
  };
}

function authenticationEndpoints({ roles, authenticator, publicUrl }: AuthServiceOptions): Endpoint[] {
  function testerWith(scopes: string[]): Authenticator {
    const expires = new Date(Date.now() + HOUR_MS).toJSON();
    return new Authenticator(
      (clientId) =>
        clientId === TESTER.clientId ? { ...TESTER, scopes, expires, disabled: false } : undefined,
      roles,
    );
  }

  return [
    endpoint({
      name: 'authenticateHawk',
      method: 'post',
      route: '/authenticate-hawk',
      input: z.strictObject({
        method: z.string(),
        resource: z.string(),
        host: z.string(),
        port: z.int().min(0).max(65_535),
        authorization: z.string().optional(),
        sourceIp: z.string().optional(),
      }),
      secretKeys: ['authorization', 'resource'],
      async handle({ body }) {
        try {
          return { ...success(await authenticator.authenticate(body)) };
        } catch (error) {
          return { status: 'auth-failed', message: error instanceof Error ? error.message : String(error) };
        }
      },
    }),
    endpoint({
      name: 'testAuthenticate',
      method: 'post',
      route: '/test-authenticate',
      input: z.strictObject({
        clientScopes: uniqueList(scope).default([]),
        requiredScopes: uniqueList(scope).default([]),
      }),
      async handle({ body, request }) {
        const identity = await identify(request, testerWith(body.clientScopes), publicUrl());
        authorize(identity, { AllOf: body.requiredScopes });
        return { clientId: identity.clientId, scopes: identity.scopes };
      },
    }),
    endpoint({
      name: 'testAuthenticateGet',
      method: 'get',
      route: '/test-authenticate-get/',
      async handle({ request }) {
        const identity = await identify(request, testerWith(TESTER_GET_SCOPES), publicUrl());
        authorize(identity, 'test:authenticate-get');
        return { clientId: identity.clientId, scopes: identity.scopes };
      },
    }),
  ];
}

function success({ clientId, scopes, expires, hash }: Identity): object {
  if (clientId === undefined) return { status: 'no-auth', scheme: 'none', scopes, expires: expires.toJSON() };
  return {
    ...{ status: 'auth-success', scheme: 'hawk', clientId, scopes, expires: expires.toJSON() },
    ...(hash !== undefined && { hash }),
  };
}
