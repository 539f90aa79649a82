import { z } from 'zod';
import { type Endpoint, endpoint } from '../../api/endpoint.ts';
import { ApiError } from '../../errors.ts';
import type { Queue } from '../queue.ts';
import { type Priority, priority } from '../task-definition.ts';
import { isResolved, statusOf } from '../task-record.ts';

const input = z.strictObject({ newPriority: priority });

/** Endpoints that change how urgent tasks are. */
export function priorityEndpoints({ database, groups, lifecycle }: Queue): Endpoint[] {
  return [
    endpoint({
      name: 'changeTaskPriority',
      method: 'post',
      route: '/task/<taskId>/priority',
      scopes: {
        AnyOf: ['queue:change-task-priority:<taskId>', 'queue:change-task-priority-in-queue:<taskQueueId>'],
      },
      scopeParameters: ({ params }) => ({ taskQueueId: lifecycle.get(params.taskId).task.taskQueueId }),
      input,
      handle({ params: { taskId }, body: { newPriority } }) {
        if (isResolved(lifecycle.get(taskId))) {
          throw new ApiError('RequestConflict', `Task \`${taskId}\` is resolved`);
        }
        change([taskId], newPriority);
        return { status: statusOf(lifecycle.get(taskId)) };
      },
    }),
    endpoint({
      name: 'changeTaskGroupPriority',
      method: 'post',
      route: '/task-group/<taskGroupId>/priority',
      scopes: 'queue:change-task-group-priority:<schedulerId>/<taskGroupId>',
      scopeParameters: ({ params }) => ({ schedulerId: groups.get(params.taskGroupId).schedulerId }),
      input,
      handle({ params: { taskGroupId }, body: { newPriority } }) {
        const { schedulerId } = groups.get(taskGroupId);
        const taskIds = groups.taskIds(taskGroupId).filter((taskId) => !isResolved(lifecycle.get(taskId)));
        change(taskIds, newPriority);
        return { taskGroupId, schedulerId, newPriority, taskIds, tasksAffected: taskIds.length };
      },
    }),
  ];

  function change(taskIds: string[], newPriority: Priority): void {
    database.transaction(() => {
      for (const taskId of taskIds) lifecycle.changePriority(lifecycle.get(taskId), newPriority);
    });
  }
}
