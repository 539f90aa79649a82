import { z } from 'zod';
import { type Endpoint, endpoint } from '../../api/endpoint.ts';
import { answerPage, type Page, type PageQuery, slicePage } from '../../api/page.ts';
import { ApiError } from '../../errors.ts';
import { datetime } from '../../fields.ts';
import type { Queue } from '../queue.ts';
import { laterOf, type QueueWorker, type WorkerIdentity } from '../queue-workers.ts';

interface WorkerParameters {
  provisionerId: string;
  workerType: string;
  workerGroup: string;
  workerId: string;
}

const WORKER_ROUTE =
  '/provisioners/<provisionerId>/worker-types/<workerType>/workers/<workerGroup>/<workerId>';

/** What nobody has described is described so. */
const UNDESCRIBED = { stability: 'experimental', description: '' } as const;
const LIFE_MS = 24 * 3600_000;

/** Endpoints that tell of workers and of the task queues that they ask. */
export function workerEndpoints({ workers }: Queue): Endpoint[] {
  return [
    ...taskQueueEndpoints({ workers }),
    endpoint({
      name: 'listWorkers',
      method: 'get',
      route: '/provisioners/<provisionerId>/worker-types/<workerType>/workers',
      scopes: 'queue:list-workers:<provisionerId>/<workerType>',
      handle({ params: { provisionerId, workerType }, query }) {
        const wanted = workers.collection
          .list({ prefix: `${provisionerId}/${workerType}/` })
          .filter(({ value }) => matches(query.quarantined, workers.isQuarantined(value)));
        return answerPage('workers', slicePage(wanted, query), summary);
      },
    }),
    endpoint({
      name: 'getWorker',
      method: 'get',
      route: WORKER_ROUTE,
      scopes: 'queue:get-worker:<provisionerId>/<workerType>/<workerGroup>/<workerId>',
      handle: ({ params }) => description(found(params)),
    }),
    endpoint({
      name: 'quarantineWorker',
      method: 'put',
      route: WORKER_ROUTE,
      scopes: { AllOf: ['queue:quarantine-worker:<provisionerId>/<workerType>/<workerGroup>/<workerId>'] },
      input: z.strictObject({
        quarantineUntil: datetime,
        quarantineInfo: z.string().max(4000).default(''),
      }),
      handle({ params, body: { quarantineUntil, quarantineInfo }, identity: { clientId = '' } }) {
        const { quarantineDetails = [], lastDateActive, expires } = found(params);
        const detail = { clientId, updatedAt: new Date().toJSON(), quarantineUntil, quarantineInfo };
        return description(
          workers.touch(identityOf(params), {
            ...{ quarantineUntil, quarantineDetails: [...quarantineDetails, detail] },
            ...{ lastDateActive, expires: laterOf(expires, quarantineUntil) },
          }),
        );
      },
    }),
    endpoint({
      name: 'declareWorker',
      method: 'put',
      route: '/provisioners/<provisionerId>/worker-types/<workerType>/<workerGroup>/<workerId>',
      scopes: {
        AllOf: [
          {
            for: 'property',
            in: 'properties',
            each: 'queue:declare-worker:<provisionerId>/<workerType>/<workerGroup>/<workerId>#<property>',
          },
        ],
      },
      scopeParameters: ({ body }) => ({ properties: Object.keys(body) }),
      input: z.strictObject({ expires: datetime }),
      handle: ({ params, body }) => description(workers.touch(identityOf(params), body)),
    }),
  ];

  function found(parameters: WorkerParameters): QueueWorker {
    const worker = workers.get(identityOf(parameters));
    if (worker === undefined) {
      const { workerGroup, workerId } = parameters;
      throw new ApiError('ResourceNotFound', `Worker ${workerGroup}/${workerId} not found`);
    }
    return worker;
  }
}

function taskQueueEndpoints({ workers }: Pick<Queue, 'workers'>): Endpoint[] {
  return [
    endpoint({
      name: 'listTaskQueues',
      method: 'get',
      route: '/task-queues',
      scopes: 'queue:list-task-queues',
      handle: ({ query }) =>
        answerPage('taskQueues', page(workers.queues(), query), (active, taskQueueId) => ({
          taskQueueId,
          ...seen(active),
        })),
    }),
    endpoint({
      name: 'getTaskQueue',
      method: 'get',
      route: '/task-queues/<taskQueueId>',
      scopes: 'queue:get-task-queue:<taskQueueId>',
      handle: ({ params: { taskQueueId } }) => ({ taskQueueId, ...seen(queueActive(taskQueueId)) }),
    }),
    endpoint({
      name: 'listProvisioners',
      method: 'get',
      route: '/provisioners',
      scopes: 'queue:list-provisioners',
      handle: ({ query }) =>
        answerPage('provisioners', page(provisioners(), query), (active, provisionerId) => ({
          provisionerId,
          ...seen(active),
        })),
    }),
    endpoint({
      name: 'getProvisioner',
      method: 'get',
      route: '/provisioners/<provisionerId>',
      scopes: 'queue:get-provisioner:<provisionerId>',
      handle: ({ params: { provisionerId } }) => ({
        provisionerId,
        ...seen(known(provisioners().get(provisionerId), `Provisioner ${provisionerId}`)),
      }),
    }),
    endpoint({
      name: 'listWorkerTypes',
      method: 'get',
      route: '/provisioners/<provisionerId>/worker-types',
      scopes: 'queue:list-worker-types:<provisionerId>',
      handle({ params: { provisionerId }, query }) {
        const own = [...workers.queues()].filter(([taskQueueId]) =>
          taskQueueId.startsWith(`${provisionerId}/`),
        );
        return answerPage('workerTypes', page(own, query), workerType);
      },
    }),
    endpoint({
      name: 'getWorkerType',
      method: 'get',
      route: '/provisioners/<provisionerId>/worker-types/<workerType>',
      scopes: 'queue:get-worker-type:<provisionerId>/<workerType>',
      handle({ params }) {
        const taskQueueId = `${params.provisionerId}/${params.workerType}`;
        return workerType(queueActive(taskQueueId), taskQueueId);
      },
    }),
  ];

  function queueActive(taskQueueId: string): string {
    return known(workers.queues().get(taskQueueId), `Task queue ${taskQueueId}`);
  }

  function provisioners(): Map<string, string> {
    const latest = new Map<string, string>();
    for (const [taskQueueId, active] of workers.queues()) {
      const [provisionerId = ''] = taskQueueId.split('/');
      const other = latest.get(provisionerId) ?? '';
      latest.set(provisionerId, laterOf(other, active));
    }
    return latest;
  }
}

/** Workers that answer a filter; a filter that is not given asks for all. */
export function matches(filter: string | undefined, value: boolean): boolean {
  return filter === undefined || (filter === 'true') === value;
}

function page(entries: Iterable<[string, string]>, query: PageQuery): Page<string> {
  const sorted = [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
  return slicePage(
    sorted.map(([key, value]) => ({ key, value })),
    query,
  );
}

function known(active: string | undefined, what: string): string {
  if (active === undefined) throw new ApiError('ResourceNotFound', `${what} not found`);
  return active;
}

function seen(lastDateActive: string) {
  const expires = new Date(Date.parse(lastDateActive) + LIFE_MS).toJSON();
  return { ...UNDESCRIBED, lastDateActive, expires };
}

function workerType(active: string, taskQueueId: string): object {
  const [provisionerId, type] = taskQueueId.split('/');
  return { provisionerId, workerType: type, taskQueueId, ...seen(active) };
}

function identityOf({
  provisionerId,
  workerType: type,
  workerGroup,
  workerId,
}: WorkerParameters): WorkerIdentity {
  return { taskQueueId: `${provisionerId}/${type}`, workerGroup, workerId };
}

function summary({
  recentTasks,
  workerGroup,
  workerId,
  firstClaim,
  lastDateActive,
  quarantineUntil,
}: QueueWorker) {
  const latestTask = recentTasks.at(-1);
  return {
    ...{ workerGroup, workerId, firstClaim, lastDateActive },
    ...(quarantineUntil && { quarantineUntil }),
    ...(latestTask && { latestTask }),
  };
}

function description(worker: QueueWorker): object {
  const [provisionerId, type] = worker.taskQueueId.split('/');
  return { provisionerId, workerType: type, ...worker };
}
