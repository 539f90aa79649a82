import { z } from 'zod';
import { endpoint, type Service } from '../api/endpoint.ts';
import { listPage } from '../api/page.ts';
import { pingEndpoint } from '../api/ping.ts';
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
      pingEndpoint(),
      endpoint({
        name: 'set',
        method: 'put',
        route: '/secret/<name>',
        scopes: 'secrets:set:<name>',
        input: z.strictObject({ secret: jsonObject, expires: datetime }),
        secretKeys: ['secret'],
        handle({ params, body }) {
          secrets.put(params.name, body);
          return undefined;
        },
      }),
      endpoint({
        name: 'remove',
        method: 'delete',
        route: '/secret/<name>',
        scopes: 'secrets:set:<name>',
        handle({ params }) {
          secrets.delete(params.name);
          return undefined;
        },
      }),
      endpoint({
        name: 'get',
        method: 'get',
        route: '/secret/<name>',
        scopes: 'secrets:get:<name>',
        handle({ params }) {
          const secret = secrets.get(params.name);
          if (!secret) throw new ApiError('ResourceNotFound', 'Secret not found');
          if (new Date(secret.expires) < new Date()) {
            throw new ApiError('ResourceExpired', 'The requested resource has expired.');
          }
          return secret;
        },
      }),
      endpoint({
        name: 'list',
        method: 'get',
        route: '/secrets',
        scopes: 'secrets:list-secrets',
        handle({ query }) {
          const { items, next } = listPage(secrets, query);
          return { secrets: items.map(({ key }) => key), ...next };
        },
      }),
    ],
  };
}
