import { z } from 'zod';
import { Respond } from '../api/answer.ts';
import { endpoint, type Service } from '../api/endpoint.ts';
import { healthEndpoints } from '../api/health.ts';
import { answerPage, listPage } from '../api/page.ts';
import { ApiError } from '../errors.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

interface PurgeRequest {
  provisionerId: string;
  workerType: string;
  cacheName: string;
  /** Caches from before this time are to be deleted. */
  before: string;
}

export function purgeCacheService(database: Database): Service {
  /** Keys are `<workerPoolId>/<cacheName>`. */
  const requests = new Collection<PurgeRequest>(database, 'purge-request');
  return {
    name: 'purge-cache',
    endpoints: [
      ...healthEndpoints(),
      endpoint({
        name: 'purgeCache',
        method: 'post',
        route: '/purge-cache/<workerPoolId>',
        scopes: 'purge-cache:<workerPoolId>:<cacheName>',
        scopeParameters: ({ body }) => ({ cacheName: body.cacheName }),
        input: z.strictObject({ cacheName: z.string() }),
        handle({ params: { workerPoolId }, body: { cacheName } }) {
          const [provisionerId = '', workerType = ''] = workerPoolId.split('/');
          const before = new Date().toJSON();
          requests.put(`${workerPoolId}/${cacheName}`, { provisionerId, workerType, cacheName, before });
          return new Respond(200, undefined);
        },
      }),
      endpoint({
        name: 'allPurgeRequests',
        method: 'get',
        route: '/purge-cache/list',
        scopes: 'purge-cache:all-purge-requests',
        handle: ({ query }) => answerPage('requests', listPage(requests, query)),
      }),
      endpoint({
        name: 'purgeRequests',
        method: 'get',
        route: '/purge-cache/<workerPoolId>',
        scopes: 'purge-cache:purge-requests::<workerPoolId>',
        handle({ params: { workerPoolId }, query }) {
          const since = Date.parse(query.since ?? '1970-01-01T00:00:00Z');
          if (Number.isNaN(since)) {
            throw new ApiError('InvalidRequestArguments', 'Query parameter since must be a time');
          }
          const all = requests.values({ prefix: `${workerPoolId}/` });
          return { requests: all.filter(({ before }) => Date.parse(before) >= since) };
        },
      }),
    ],
  };
}
