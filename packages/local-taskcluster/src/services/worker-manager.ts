import { z } from 'zod';
import { type Endpoint, endpoint, type Service } from '../api/endpoint.ts';
import { healthEndpoints } from '../api/health.ts';
import { answerPage, listPage } from '../api/page.ts';
import type { Client } from '../auth/clients.ts';
import { ApiError } from '../errors.ts';
import { datetime, identifier, jsonObject } from '../fields.ts';
import type { QueueWorkers } from '../queue/queue-workers.ts';
import { newSlugid } from '../slugid.ts';
import { workerListEndpoints } from './worker-lists.ts';
import { poolStatsEndpoints } from './worker-pool-stats.ts';
import { describeWorker, type WorkerPools } from './worker-pools.ts';
import { registrationEndpoints, workerSecret } from './worker-registration.ts';

/** The only way to start workers that this package knows: somebody does it. */
const STATIC_PROVIDER = 'static';

/** What the real service's validator takes: any atoms with dots between them, at a domain of several labels. */
const ATOM = "[\\w!#$%&'*+/=?^`{|}~-]+";
const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const EMAIL = new RegExp(`^${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${LABEL}$`, 'i');

const description = z.string().max(10_240);

const poolRequest = z.strictObject({
  providerId: identifier,
  description,
  config: jsonObject,
  owner: z.string().regex(EMAIL),
  emailOnError: z.boolean(),
});

const poolUpdate = poolRequest.extend({
  workerPoolId: z.string().optional(),
  created: datetime.optional(),
  lastModified: datetime.optional(),
});

const POOL_SCOPES = {
  AllOf: ['worker-manager:manage-worker-pool:<workerPoolId>', 'worker-manager:provider:<providerId>'],
} as const;

export function workerManagerService(
  pools: WorkerPools,
  queueWorkers: QueueWorkers,
  signer: Client,
): Service {
  return {
    name: 'worker-manager',
    endpoints: [
      ...healthEndpoints(),
      ...poolEndpoints(pools),
      ...poolStatsEndpoints(pools),
      ...workerEndpoints(pools),
      ...workerListEndpoints(pools, queueWorkers),
      ...errorEndpoints(pools),
      ...registrationEndpoints(pools, signer),
    ],
  };
}

function poolEndpoints(pools: WorkerPools): Endpoint[] {
  return [
    endpoint({
      name: 'createWorkerPool',
      method: 'put',
      route: '/worker-pool/<workerPoolId>',
      scopes: POOL_SCOPES,
      scopeParameters: ({ body }) => ({ providerId: body.providerId }),
      input: poolRequest,
      handle({ params: { workerPoolId }, body }) {
        requireStatic(body.providerId);
        if (pools.pools.get(workerPoolId)) {
          throw new ApiError('RequestConflict', `Worker pool \`${workerPoolId}\` already exists`);
        }
        const now = new Date().toJSON();
        const pool = { workerPoolId, ...body, created: now, lastModified: now };
        pools.pools.put(workerPoolId, pool);
        return pools.describePool(pool);
      },
    }),
    endpoint({
      name: 'updateWorkerPool',
      method: 'post',
      route: '/worker-pool/<workerPoolId>',
      scopes: POOL_SCOPES,
      scopeParameters: ({ body }) => ({ providerId: body.providerId }),
      input: poolUpdate,
      handle({ params: { workerPoolId }, body }) {
        requireStatic(body.providerId);
        const { created } = pools.pool(workerPoolId);
        const pool = { ...body, workerPoolId, created, lastModified: new Date().toJSON() };
        pools.pools.put(workerPoolId, pool);
        return pools.describePool(pool);
      },
    }),
    endpoint({
      name: 'deleteWorkerPool',
      method: 'delete',
      route: '/worker-pool/<workerPoolId>',
      scopes: 'worker-manager:manage-worker-pool:<workerPoolId>',
      handle: ({ params }) => pools.retire(params.workerPoolId),
    }),
    endpoint({
      name: 'listProviders',
      method: 'get',
      route: '/providers',
      scopes: 'worker-manager:list-providers',
      handle: () => ({ providers: [{ providerId: STATIC_PROVIDER, providerType: STATIC_PROVIDER }] }),
    }),
    endpoint({
      name: 'workerPool',
      method: 'get',
      route: '/worker-pool/<workerPoolId>',
      scopes: 'worker-manager:get-worker-pool:<workerPoolId>',
      handle: ({ params }) => pools.describePool(pools.pool(params.workerPoolId)),
    }),
    endpoint({
      name: 'listWorkerPools',
      method: 'get',
      route: '/worker-pools',
      scopes: 'worker-manager:list-worker-pools',
      handle: ({ query }) =>
        answerPage('workerPools', listPage(pools.pools, query), (pool) => pools.describePool(pool)),
    }),
  ];
}

function workerEndpoints(pools: WorkerPools): Endpoint[] {
  return [
    endpoint({
      name: 'createWorker',
      method: 'put',
      route: '/workers/<workerPoolId>/<workerGroup>/<workerId>',
      scopes: 'worker-manager:create-worker:<workerPoolId>/<workerGroup>/<workerId>',
      input: z.strictObject({
        expires: datetime,
        capacity: z.int().min(1).default(1),
        providerInfo: z.strictObject({ staticSecret: workerSecret }),
      }),
      secretKeys: ['providerInfo'],
      handle({ params: { workerPoolId, workerGroup, workerId }, body }) {
        const { providerId } = pools.pool(workerPoolId);
        const { staticSecret } = body.providerInfo;
        const existing = pools.workers.get(`${workerPoolId}/${workerGroup}/${workerId}`);
        if (existing) {
          const isSame = existing.staticSecret === staticSecret && existing.expires === body.expires;
          if (isSame && existing.capacity === body.capacity) return describeWorker(existing);
          throw new ApiError('RequestConflict', 'Worker already exists');
        }
        const now = new Date().toJSON();
        const worker = {
          ...{ workerPoolId, workerGroup, workerId, providerId, staticSecret },
          ...{ created: now, lastModified: now, lastChecked: now, expires: body.expires },
          capacity: body.capacity,
          state: 'running' as const,
        };
        pools.saveWorker(worker);
        return describeWorker(worker);
      },
    }),
    endpoint({
      name: 'updateWorker',
      method: 'post',
      route: '/workers/<workerPoolId>/<workerGroup>/<workerId>',
      scopes: 'worker-manager:update-worker:<workerPoolId>/<workerGroup>/<workerId>',
      input: z.strictObject({
        expires: datetime,
        capacity: z.int().min(1).optional(),
        providerInfo: z.strictObject({ staticSecret: workerSecret }).optional(),
      }),
      secretKeys: ['providerInfo'],
      handle({ params: { workerPoolId, workerGroup, workerId }, body: { expires, capacity, providerInfo } }) {
        const worker = pools.worker(workerPoolId, workerGroup, workerId);
        const updated = {
          ...{ ...worker, expires, lastModified: new Date().toJSON() },
          ...{ capacity: capacity ?? worker.capacity },
          ...{ staticSecret: providerInfo?.staticSecret ?? worker.staticSecret },
        };
        pools.saveWorker(updated);
        return describeWorker(updated);
      },
    }),
    endpoint({
      name: 'shouldWorkerTerminate',
      method: 'get',
      route: '/workers/<workerPoolId>/<workerGroup>/<workerId>/should-terminate',
      scopes: 'worker-manager:should-worker-terminate:<workerPoolId>/<workerGroup>/<workerId>',
      handle: ({ params: { workerPoolId, workerGroup, workerId } }) =>
        pools.verdict(pools.worker(workerPoolId, workerGroup, workerId)),
    }),
    endpoint({
      name: 'worker',
      method: 'get',
      route: '/workers/<workerPoolId>/<workerGroup>/<workerId>',
      scopes: 'worker-manager:get-worker:<workerPoolId>/<workerGroup>/<workerId>',
      handle: ({ params: { workerPoolId, workerGroup, workerId } }) =>
        describeWorker(pools.worker(workerPoolId, workerGroup, workerId)),
    }),
    endpoint({
      name: 'removeWorker',
      method: 'delete',
      route: '/workers/<workerPoolId>/<workerGroup>/<workerId>',
      scopes: 'worker-manager:remove-worker:<workerPoolId>/<workerGroup>/<workerId>',
      handle({ params: { workerPoolId, workerGroup, workerId } }) {
        const worker = pools.worker(workerPoolId, workerGroup, workerId);
        pools.saveWorker({ ...worker, state: 'stopped', lastModified: new Date().toJSON() });
        return undefined;
      },
    }),
  ];
}

function errorEndpoints(pools: WorkerPools): Endpoint[] {
  return [
    endpoint({
      name: 'reportWorkerError',
      method: 'post',
      route: '/worker-pool-errors/<workerPoolId>',
      scopes: { AllOf: ['assume:worker-pool:<workerPoolId>', 'assume:worker-id:<workerGroup>/<workerId>'] },
      scopeParameters: ({ body: { workerGroup, workerId } }) => ({ workerGroup, workerId }),
      input: z.strictObject({
        workerGroup: identifier,
        workerId: identifier,
        kind: z
          .string()
          .max(128)
          .regex(/[-a-z0-9]+/),
        title: z.string().max(128),
        description,
        extra: jsonObject,
      }),
      handle({ params: { workerPoolId }, body: { workerGroup, workerId, ...report } }) {
        pools.pool(workerPoolId);
        const extra = { ...report.extra, workerGroup, workerId };
        const error = {
          ...{ workerPoolId, errorId: newSlugid(), reported: new Date().toJSON() },
          ...{ ...report, extra },
        };
        pools.errors.put(`${workerPoolId}/${error.errorId}`, error);
        return error;
      },
    }),
    endpoint({
      name: 'listWorkerPoolErrors',
      method: 'get',
      route: '/worker-pool-errors/<workerPoolId>',
      scopes: 'worker-manager:list-worker-pool-errors:<workerPoolId>',
      handle: ({ params: { workerPoolId }, query }) =>
        answerPage('workerPoolErrors', listPage(pools.errors, query, `${workerPoolId}/`)),
    }),
  ];
}

function requireStatic(providerId: string): void {
  if (providerId !== STATIC_PROVIDER) {
    throw new ApiError(
      'InputError',
      `Provider \`${providerId}\` is not known here, only \`${STATIC_PROVIDER}\``,
    );
  }
}
