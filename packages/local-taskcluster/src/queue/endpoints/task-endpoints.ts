import { z } from 'zod';
import { type Call, type Endpoint, endpoint } from '../../api/endpoint.ts';
import { answerPage, listPage, type PageQuery, slicePage } from '../../api/page.ts';
import type { ScopeTemplate } from '../../auth/scope-template.ts';
import type { Collection } from '../../store/collection.ts';
import { createTask } from '../create-task.ts';
import type { Queue } from '../queue.ts';
import { createTaskRequest, PRIORITIES } from '../task-definition.ts';
import { isResolved, stateOf, statusOf, type TaskRecord } from '../task-record.ts';
import { cancelTask, requireDeadlineAhead, rerunTask } from './task-actions.ts';

/** `rerun-task` and the like: on one task, on a whole project, or the legacy pair. */
function taskScopes(action: 'schedule' | 'rerun' | 'cancel'): ScopeTemplate {
  return {
    AnyOf: [
      `queue:${action}-task:<schedulerId>/<taskGroupId>/<taskId>`,
      `queue:${action}-task-in-project:<projectId>`,
      { AllOf: [`queue:${action}-task`, 'assume:scheduler-id:<schedulerId>/<taskGroupId>'] },
    ],
  };
}

const taskIdsRequest = z.strictObject({ taskIds: z.array(z.string()).default([]) });

/** Endpoints about tasks as such. */
export function taskEndpoints(queue: Queue): Endpoint[] {
  const { lifecycle, groups, dependencies, database } = queue;

  function taskParameters({ params }: Pick<Call<'taskId'>, 'params'>) {
    const { schedulerId, taskGroupId, projectId } = lifecycle.get(params.taskId).task;
    return { schedulerId, taskGroupId, projectId };
  }

  function change(taskId: string, action: (record: TaskRecord) => void): object {
    return database.transaction(() => {
      const record = lifecycle.get(taskId);
      action(record);
      return { status: statusOf(record) };
    });
  }

  function page(taskIds: Collection<string>, prefix: string, query: PageQuery) {
    return answerPage('tasks', listPage(taskIds, query, prefix), (taskId) => {
      const record = lifecycle.get(taskId);
      return { task: record.task, status: statusOf(record) };
    });
  }

  /** Of the tasks asked for those that exist. */
  function pick(taskIds: string[], query: PageQuery) {
    const { items, next } = slicePage(
      [...new Set(taskIds)].sort().map((key) => ({ key, value: key })),
      query,
    );
    return { records: items.flatMap(({ value }) => lifecycle.find(value) ?? []), next };
  }

  return [
    endpoint({
      name: 'task',
      method: 'get',
      route: '/task/<taskId>',
      scopes: 'queue:get-task:<taskId>',
      handle: ({ params }) => lifecycle.get(params.taskId).task,
    }),
    endpoint({
      name: 'tasks',
      method: 'post',
      route: '/tasks',
      scopes: { AllOf: [{ for: 'taskId', in: 'taskIds', each: 'queue:get-task:<taskId>' }] },
      scopeParameters: ({ body }) => ({ taskIds: body.taskIds }),
      input: taskIdsRequest,
      handle({ body, query }) {
        const { records, next } = pick(body.taskIds, query);
        return { tasks: records.map(({ taskId, task }) => ({ taskId, task })), ...next };
      },
    }),
    endpoint({
      name: 'statuses',
      method: 'post',
      route: '/tasks/status',
      scopes: { AllOf: [{ for: 'taskId', in: 'taskIds', each: 'queue:status:<taskId>' }] },
      scopeParameters: ({ body }) => ({ taskIds: body.taskIds }),
      input: taskIdsRequest,
      handle({ body, query }) {
        const { records, next } = pick(body.taskIds, query);
        return {
          statuses: records.map((record) => ({ taskId: record.taskId, status: statusOf(record) })),
          ...next,
        };
      },
    }),
    endpoint({
      name: 'status',
      method: 'get',
      route: '/task/<taskId>/status',
      scopes: 'queue:status:<taskId>',
      handle: ({ params }) => ({ status: statusOf(lifecycle.get(params.taskId)) }),
    }),
    endpoint({
      name: 'listTaskGroup',
      method: 'get',
      route: '/task-group/<taskGroupId>/list',
      scopes: 'queue:list-task-group:<taskGroupId>',
      handle: ({ params: { taskGroupId }, query }) => ({
        ...groups.get(taskGroupId),
        ...page(groups.members, `${taskGroupId}/`, query),
      }),
    }),
    endpoint({
      name: 'getTaskGroup',
      method: 'get',
      route: '/task-group/<taskGroupId>',
      scopes: 'queue:list-task-group:<taskGroupId>',
      handle: ({ params }) => groups.get(params.taskGroupId),
    }),
    endpoint({
      name: 'sealTaskGroup',
      method: 'post',
      route: '/task-group/<taskGroupId>/seal',
      scopes: 'queue:seal-task-group:<schedulerId>/<taskGroupId>',
      scopeParameters: ({ params }) => ({ schedulerId: groups.get(params.taskGroupId).schedulerId }),
      handle: ({ params }) => groups.seal(params.taskGroupId),
    }),
    endpoint({
      name: 'cancelTaskGroup',
      method: 'post',
      route: '/task-group/<taskGroupId>/cancel',
      scopes: 'queue:cancel-task-group:<schedulerId>/<taskGroupId>',
      scopeParameters: ({ params }) => ({ schedulerId: groups.get(params.taskGroupId).schedulerId }),
      handle({ params: { taskGroupId } }) {
        const members = groups.taskIds(taskGroupId);
        const open = members.map((taskId) => lifecycle.get(taskId)).filter((record) => !isResolved(record));
        database.transaction(() => {
          for (const { taskId } of open) lifecycle.abandon(lifecycle.get(taskId), 'canceled');
        });
        const taskIds = open.map(({ taskId }) => taskId);
        return { taskGroupId, taskGroupSize: members.length, cancelledCount: taskIds.length, taskIds };
      },
    }),
    endpoint({
      name: 'listDependentTasks',
      method: 'get',
      route: '/task/<taskId>/dependents',
      scopes: 'queue:list-dependent-tasks:<taskId>',
      handle({ params: { taskId }, query }) {
        lifecycle.get(taskId);
        return { taskId, ...page(dependencies.dependents, `${taskId}/`, query) };
      },
    }),
    endpoint({
      name: 'createTask',
      method: 'put',
      route: '/task/<taskId>',
      scopes: {
        AllOf: [
          { for: 'scope', in: 'scopes', each: '<scope>' },
          { for: 'route', in: 'routes', each: 'queue:route:<route>' },
          'queue:create-task:project:<projectId>',
          'queue:scheduler-id:<schedulerId>',
          {
            AnyOf: [
              {
                for: 'priority',
                in: 'priorities',
                each: 'queue:create-task:<priority>:<provisionerId>/<workerType>',
              },
            ],
          },
        ],
      },
      scopeParameters({ body }) {
        const { scopes, routes, projectId, schedulerId, provisionerId, workerType } = body;
        // Whoever may create urgent tasks may create less urgent ones.
        const priorities = PRIORITIES.slice(0, PRIORITIES.indexOf(body.priority) + 1);
        return { scopes, routes, projectId, schedulerId, provisionerId, workerType, priorities };
      },
      input: createTaskRequest,
      handle: ({ params: { taskId }, body }) =>
        database.transaction(() => ({ status: statusOf(createTask(taskId, body, queue)) })),
    }),
    endpoint({
      name: 'scheduleTask',
      method: 'post',
      route: '/task/<taskId>/schedule',
      scopes: taskScopes('schedule'),
      scopeParameters: taskParameters,
      handle: ({ params: { taskId } }) =>
        change(taskId, (record) => {
          requireDeadlineAhead(record);
          if (stateOf(record) === 'unscheduled') lifecycle.addRun(record, 'scheduled');
        }),
    }),
    endpoint({
      name: 'rerunTask',
      method: 'post',
      route: '/task/<taskId>/rerun',
      scopes: taskScopes('rerun'),
      scopeParameters: taskParameters,
      handle: ({ params: { taskId } }) => change(taskId, (record) => rerunTask(lifecycle, record)),
    }),
    endpoint({
      name: 'cancelTask',
      method: 'post',
      route: '/task/<taskId>/cancel',
      scopes: taskScopes('cancel'),
      scopeParameters: taskParameters,
      handle: ({ params: { taskId } }) => change(taskId, (record) => cancelTask(lifecycle, record)),
    }),
  ];
}
