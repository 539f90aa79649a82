import { z } from 'zod';

/**
 * Words to write OpenAPI documents with, from the schemas of bodies. Services have their documents in files of their own, which
 * nothing that serves requests needs to load.
 */
export interface OpenApiParts {
  title: string;
  version: string;
  /** What the routes have in common, in a sentence or two. */
  description: string;
  paths: Record<string, object>;
  /** `errorComponents` where `refused` is among the answers. */
  components?: object;
  /** What `/health` tells of this service beside whether it is ready. */
  health?: z.ZodObject;
}

/** The body of each error of a proxy's own. */
export const errorBodySchema = z.object({
  code: z.string().describe('One of the codes in the reference of errors.'),
  message: z.string(),
  requestInfo: z.looseObject({ method: z.string(), time: z.iso.datetime() }),
});

/** For documents with answers that are `refused`. */
export const errorComponents = { schemas: { Error: jsonSchema(errorBodySchema) } };

/** The routes of a service, those of its admin listener included. */
export function openApi({ title, version, description, paths, components, health }: OpenApiParts): object {
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'MPL-2.0', identifier: 'MPL-2.0' } },
    paths: { ...paths, ...adminPaths(health) },
    ...(components ? { components } : {}),
  };
}

/** Answers by their statuses; `default` is whatever an upstream answers. */
export type Responses = Partial<Record<number | 'default', object>>;

export function operation(summary: string, responses: Responses): object {
  return { summary, responses };
}

/** One operation for whichever method a client uses, for what is passed on. */
export function anyMethod(of: object): object {
  return Object.fromEntries(
    ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'].map((method) => [method, of]),
  );
}

/** Parameters of a path, by what they are. */
export function inPath(descriptions: Record<string, string>): object {
  return {
    parameters: Object.entries(descriptions).map(([name, description]) => ({
      name,
      in: 'path',
      required: true,
      description,
      schema: { type: 'string' },
    })),
  };
}

export function empty(description: string): object {
  return { description };
}

export function text(description: string, of: object = { type: 'string' }): object {
  return { description, content: { 'text/plain': { schema: of } } };
}

export function json(description: string, of: z.ZodType): object {
  return { description, content: { 'application/json': { schema: jsonSchema(of) } } };
}

/** An error of the service itself. */
export function refused(description: string): object {
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}

export function jsonSchema(of: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(of, { io: 'input' });
  return rest;
}

/** The listener for operators, on an address and a port of its own. */
function adminPaths(details: z.ZodObject = z.object({})): Record<string, object> {
  const servers = [{ url: 'http://127.0.0.1:8081', description: 'The admin listener.' }];
  const health = details.extend({ ready: z.boolean() });
  const version = z.object({ name: z.string(), version: z.string(), revision: z.string() });
  const paths = {
    '/live': operation('Whether the process runs', { 200: text('It does.', { const: 'live\n' }) }),
    '/ready': operation('Whether it serves', {
      200: text('It does.', { const: 'ready\n' }),
      503: text('Not yet, or not any more.', { const: 'not ready\n' }),
    }),
    '/health': operation('Whether it serves, with details', {
      200: json('It does.', health),
      503: json('Not yet, or not any more.', health),
    }),
    '/metrics': operation('Figures for Prometheus', { 200: text('In the text format of Prometheus.') }),
    '/version': operation('What runs', { 200: json('Its name, version and revision.', version) }),
  };
  return Object.fromEntries(Object.entries(paths).map(([path, get]) => [path, { servers, get }]));
}
