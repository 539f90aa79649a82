import type { FastifyServerOptions } from 'fastify';

/**
 * Fastify options for a service that describes no route with a JSON schema. The default compilers are
 * loaded with the first app and cost some 30 ms, a good part of the time from `configure` to `ready`.
 */
export const withoutSchemas = {
  schemaController: {
    compilersFactory: {
      buildValidator: () => unused,
      buildSerializer: () => unused,
    },
  },
} satisfies FastifyServerOptions;

function unused(): never {
  throw new Error('this service has no route with a schema');
}
