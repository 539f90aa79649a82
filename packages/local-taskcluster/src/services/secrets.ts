import { z } from 'zod';
import { endpoint, type Service } from '../api/endpoint.ts';
import { healthEndpoints } from '../api/health.ts';
import { answerPage, slicePage } from '../api/page.ts';
import { ApiError } from '../errors.ts';
import { datetime, type JsonObject, jsonObject } from '../fields.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

interface Secret {
  secret: JsonObject;
  expires: string;
}

export function secretsService(database: Database): Service {
  const secrets = new Collection<Secret>(database, 'secret');
  return {
    name: 'secrets',
    endpoints: [
      ...healthEndpoints(),
      endpoint({
        name: 'set',
        method: 'put',
        route: '/secret/<name>',
        scopes: 'secrets:set:<name>',
        input: z.strictObject({ secret: jsonObject, expires: datetime }),
        secretKeys: ['secret'],
        handle: ({ params, body }) => void secrets.put(params.name, body),
      }),
      endpoint({
        name: 'remove',
        method: 'delete',
        route: '/secret/<name>',
        scopes: 'secrets:set:<name>',
        handle: ({ params }) => void secrets.delete(params.name),
      }),
      endpoint({
        name: 'get',
        method: 'get',
        route: '/secret/<name>',
        scopes: 'secrets:get:<name>',
        handle({ params }) {
          const secret = secrets.get(params.name);
          if (!secret || isExpired(secret)) throw new ApiError('ResourceNotFound', 'Secret not found');
          return secret;
        },
      }),
      endpoint({
        name: 'list',
        method: 'get',
        route: '/secrets',
        scopes: 'secrets:list-secrets',
        handle({ query }) {
          const present = secrets.list().filter(({ value }) => !isExpired(value));
          return answerPage('secrets', slicePage(present, query), (_, name) => name);
        },
      }),
    ],
  };
}

function isExpired({ expires }: Secret): boolean {
  return new Date(expires) < new Date();
}
