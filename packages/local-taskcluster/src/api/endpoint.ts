import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Identity } from '../auth/authenticator.ts';
import type { ScopeParameters, ScopeTemplate } from '../auth/scope-template.ts';
import type { Answer } from './answer.ts';
import type { PageQuery } from './page.ts';

/** `'/task/<taskId>/runs/<runId>'` has the parameters `taskId` and `runId`. */
type ParametersOf<Route extends string> = Route extends `${string}<${infer Name}>${infer Rest}`
  ? Name | ParametersOf<Rest>
  : never;

export interface Call<Parameter extends string = string, Body = unknown> {
  params: Record<Parameter, string>;
  body: Body;
  query: PageQuery & Record<string, string | undefined>;
  /** Who calls; the anonymous identity at endpoints without scopes. */
  identity: Identity;
  request: FastifyRequest;
  reply: FastifyReply;
}

export interface EndpointDefinition<Route extends string, Body> {
  /** As in the API reference. */
  name: string;
  method: 'get' | 'put' | 'post' | 'delete';
  route: Route;
  /** What the caller needs; without it nobody is asked for credentials. */
  scopes?: ScopeTemplate;
  input?: z.ZodType<Body>;
  /** Keys of the body that never appear in an error. */
  secretKeys?: readonly string[];
  /** Scope parameters beside those in the route. May throw an ApiError, for instance for an unknown task. */
  scopeParameters?(call: Pick<Call<ParametersOf<Route>, Body>, 'params' | 'body' | 'query'>): ScopeParameters;
  handle(call: Call<ParametersOf<Route>, Body>): Answer | Promise<Answer>;
}

/** An endpoint whose types have been checked where it was defined. */
export type Endpoint = EndpointDefinition<string, unknown>;

/** Checks the handler's types against its route and input. */
export function endpoint<const Route extends string, Body = undefined>(
  definition: EndpointDefinition<Route, Body>,
): Endpoint {
  return definition as unknown as Endpoint;
}

export interface Service {
  /** As in the path: `/api/<name>/v1/`. */
  name: string;
  endpoints: Endpoint[];
}
