import { type Endpoint, endpoint } from '../../api/endpoint.ts';
import { answerPage, slicePage } from '../../api/page.ts';
import type { Queue } from '../queue.ts';
import { isClaimed, stateOf, type TaskRecord } from '../task-record.ts';

/** Endpoints that tell what waits in a task queue and what is worked on. */
export function countEndpoints({ lifecycle, pending }: Queue): Endpoint[] {
  return [
    endpoint({
      name: 'pendingTasks',
      method: 'get',
      route: '/pending/<taskQueueId>',
      scopes: 'queue:pending-count:<taskQueueId>',
      handle: ({ params: { taskQueueId } }) => ({
        ...named(taskQueueId),
        pendingTasks: pending.count(taskQueueId),
      }),
    }),
    endpoint({
      name: 'taskQueueCounts',
      method: 'get',
      route: '/task-queues/<taskQueueId>/counts',
      scopes: { AllOf: ['queue:pending-count:<taskQueueId>', 'queue:claimed-count:<taskQueueId>'] },
      handle: ({ params: { taskQueueId } }) => ({
        ...named(taskQueueId),
        pendingTasks: pending.count(taskQueueId),
        claimedTasks: tasksIn(taskQueueId, 'running').length,
      }),
    }),
    endpoint({
      name: 'listPendingTasks',
      method: 'get',
      route: '/task-queues/<taskQueueId>/pending',
      scopes: 'queue:pending-list:<taskQueueId>',
      handle: ({ params: { taskQueueId }, query }) =>
        answerPage('tasks', slicePage(tasksIn(taskQueueId, 'pending'), query), ({ taskId, task, runs }) => ({
          ...{ taskId, runId: runs.length - 1, task },
          inserted: runs.at(-1)?.scheduled,
        })),
    }),
    endpoint({
      name: 'listClaimedTasks',
      method: 'get',
      route: '/task-queues/<taskQueueId>/claimed',
      scopes: 'queue:claimed-list:<taskQueueId>',
      handle({ params: { taskQueueId }, query }) {
        const { items, next } = slicePage(tasksIn(taskQueueId, 'running'), query);
        const tasks = items.flatMap(({ value: { taskId, task, runs } }) => {
          const run = runs.at(-1);
          if (!isClaimed(run)) return [];
          const { workerGroup, workerId, started } = run;
          return [{ taskId, runId: runs.length - 1, task, workerGroup, workerId, claimed: started }];
        });
        return { tasks, ...next };
      },
    }),
  ];

  function tasksIn(taskQueueId: string, state: 'pending' | 'running'): { key: string; value: TaskRecord }[] {
    return lifecycle.collection
      .list()
      .filter(({ value }) => value.task.taskQueueId === taskQueueId && stateOf(value) === state);
  }
}

function named(taskQueueId: string): object {
  const [provisionerId, workerType] = taskQueueId.split('/');
  return { provisionerId, workerType, taskQueueId };
}
