import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Authenticator } from '../auth/authenticator.ts';
import { authorize } from '../auth/authorize.ts';
import { identify } from '../auth/identify.ts';
import { renderScopes } from '../auth/scope-template.ts';
import { ApiError } from '../errors.ts';
import { PARAMETER_PATTERNS } from '../fields.ts';
import { Respond } from './answer.ts';
import type { Call, Endpoint, Service } from './endpoint.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    endpoint?: Endpoint;
  }
}

export interface MountOptions {
  authenticator: Authenticator;
  /** The rootUrl; it is known once the server listens. */
  publicUrl(): URL;
}

/** Adds a service's endpoints under `/api/<service>/v1`. */
export function mountService(app: FastifyInstance, service: Service, options: MountOptions): void {
  for (const endpoint of service.endpoints) {
    app.route({
      method: endpoint.method.toUpperCase() as 'GET',
      url: `/api/${service.name}/v1${fastifyRoute(endpoint.route)}`,
      config: { endpoint },
      handler: (request, reply) => answer(endpoint, request, reply, options),
    });
  }
}

/** The last parameter of a route may hold slashes that the caller did not encode. */
function fastifyRoute(route: string): string {
  return route.replace(/<[^<>]+>$/, '*').replace(/<([^<>]+)>/g, ':$1');
}

async function answer(
  endpoint: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  options: MountOptions,
): Promise<FastifyReply> {
  const { authenticator } = options;
  const identity =
    endpoint.scopes === undefined
      ? authenticator.anonymous()
      : await identify(request, authenticator, options.publicUrl());
  const params = routeParameters(endpoint, request);
  checkParameters(params);
  const call: Call = {
    params,
    body: parseBody(endpoint, request.body),
    query: parseQuery(request.query),
    identity,
    request,
    reply,
  };
  if (endpoint.scopes !== undefined) {
    const extra = endpoint.scopeParameters?.(call);
    authorize(identity, renderScopes(endpoint.scopes, { ...params, ...extra }));
  }
  const result = await endpoint.handle(call);
  if (result instanceof Respond) return reply.code(result.status).headers(result.headers).send(result.body);
  return reply.send(result ?? {});
}

/** The parameters by the names in the API reference. */
export function routeParameters(endpoint: Endpoint, request: FastifyRequest): Record<string, string> {
  const { '*': last, ...params } = (request.params ?? {}) as Record<string, string>;
  const lastName = /<([^<>]+)>$/.exec(endpoint.route)?.[1];
  return lastName === undefined || last === undefined ? params : { ...params, [lastName]: last };
}

function checkParameters(params: Record<string, string>): void {
  for (const [name, value] of Object.entries(params)) {
    const pattern = PARAMETER_PATTERNS[name];
    if (pattern && !pattern.test(value)) {
      throw new ApiError('InvalidRequestArguments', `URL parameter ${name} does not match ${pattern}`);
    }
  }
}

/** Fastify makes a list of a parameter that is given more than once. */
function parseQuery(query: unknown): Record<string, string> {
  const entries = Object.entries(query as Record<string, string | string[]>);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (typeof value === 'string') return [name, value];
      throw new ApiError('InvalidRequestArguments', `Query parameter ${name} is given more than once`);
    }),
  );
}

function parseBody(endpoint: Endpoint, body: unknown): unknown {
  if (!endpoint.input) return undefined;
  const parsed = endpoint.input.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw new ApiError(
    'InputValidationError',
    `Schema validation failed:\n\n\`\`\`\n${z.prettifyError(parsed.error)}\n\`\`\``,
  );
}
