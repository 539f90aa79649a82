import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Endpoint, endpoint } from '../../api/endpoint.ts';
import { identifier } from '../../fields.ts';
import type { Claim } from '../claims.ts';
import type { Queue } from '../queue.ts';
import { EXCEPTION_REASONS } from '../task-record.ts';

const worker = { workerGroup: identifier, workerId: identifier };

/** Endpoints that workers call. */
export function claimEndpoints(queue: Queue): Endpoint[] {
  const { claims, lifecycle } = queue;
  return [
    endpoint({
      name: 'claimWork',
      method: 'post',
      route: '/claim-work/<taskQueueId>',
      scopes: { AllOf: ['queue:claim-work:<taskQueueId>', 'queue:worker-id:<workerGroup>/<workerId>'] },
      scopeParameters: ({ body: { workerGroup, workerId } }) => ({ workerGroup, workerId }),
      input: z.strictObject({ ...worker, tasks: z.int().min(1).max(32).default(1) }),
      async handle({ params: { taskQueueId }, body, reply }) {
        const { tasks, ...claimant } = body;
        const delivery = watchDelivery(reply);
        const waitFor = [AbortSignal.timeout(queue.longPollMs), queue.closing, delivery.signal];
        const claimed = await claims.claimWork(taskQueueId, claimant, tasks, AbortSignal.any(waitFor));
        delivery.onLost(() => {
          for (const claim of claimed) claims.release(claim);
        });
        return { tasks: claimed } satisfies { tasks: Claim[] };
      },
    }),
    endpoint({
      name: 'claimTask',
      method: 'post',
      route: '/task/<taskId>/runs/<runId>/claim',
      scopes: {
        AllOf: ['queue:claim-task:<provisionerId>/<workerType>', 'queue:worker-id:<workerGroup>/<workerId>'],
      },
      scopeParameters({ params, body: { workerGroup, workerId } }) {
        const { provisionerId, workerType } = lifecycle.get(params.taskId).task;
        return { provisionerId, workerType, workerGroup, workerId };
      },
      input: z.strictObject(worker),
      handle: ({ params: { taskId, runId }, body }) => claims.claimTask(taskId, Number(runId), body),
    }),
    endpoint({
      name: 'reclaimTask',
      method: 'post',
      route: '/task/<taskId>/runs/<runId>/reclaim',
      scopes: 'queue:reclaim-task:<taskId>/<runId>',
      handle: ({ params: { taskId, runId } }) => claims.reclaim(taskId, Number(runId)),
    }),
    ...(
      [
        { name: 'reportCompleted', resolution: { state: 'completed', reasonResolved: 'completed' } },
        { name: 'reportFailed', resolution: { state: 'failed', reasonResolved: 'failed' } },
      ] as const
    ).map(({ name, resolution }) =>
      endpoint({
        name,
        method: 'post',
        route: `/task/<taskId>/runs/<runId>/${resolution.state}`,
        scopes: 'queue:resolve-task:<taskId>/<runId>',
        handle: ({ params: { taskId, runId } }) => ({
          status: claims.report(taskId, Number(runId), resolution),
        }),
      }),
    ),
    endpoint({
      name: 'reportException',
      method: 'post',
      route: '/task/<taskId>/runs/<runId>/exception',
      scopes: 'queue:resolve-task:<taskId>/<runId>',
      input: z.strictObject({ reason: z.enum(EXCEPTION_REASONS) }),
      handle: ({ params: { taskId, runId }, body }) => ({
        status: claims.report(taskId, Number(runId), { state: 'exception', reasonResolved: body.reason }),
      }),
    }),
  ];
}

interface Delivery {
  /** Aborted when the caller goes away before its answer is written. */
  signal: AbortSignal;
  onLost(action: () => void): void;
}

/** A connection that closes before the answer is out has not delivered it. */
function watchDelivery(reply: FastifyReply): Delivery {
  const gone = new AbortController();
  const { raw } = reply;
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  if (raw.destroyed || raw.socket?.destroyed) gone.abort();
  return {
    signal: gone.signal,
    onLost(action) {
      if (gone.signal.aborted) action();
      else gone.signal.addEventListener('abort', action, { once: true });
    },
  };
}
