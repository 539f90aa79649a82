import { z } from 'zod';
import { seeOther } from '../api/answer.ts';
import { endpoint, type Service } from '../api/endpoint.ts';
import { healthEndpoints } from '../api/health.ts';
import { answerPage, slicePage } from '../api/page.ts';
import { ApiError } from '../errors.ts';
import { datetime, jsonObject, slugid } from '../fields.ts';
import type { IndexedTask, IndexedTasks } from './indexed-tasks.ts';

export interface IndexServiceOptions {
  indexed: IndexedTasks;
  /** Where the queue has an artifact of a task's latest run. */
  artifactUrl(taskId: string, name: string): string;
}

export function indexService({ indexed, artifactUrl }: IndexServiceOptions): Service {
  function find(namespace: string): IndexedTask {
    const task = indexed.find(namespace);
    if (!task) throw new ApiError('ResourceNotFound', 'Indexed task not found');
    return task;
  }

  return {
    name: 'index',
    endpoints: [
      ...healthEndpoints(),
      endpoint({
        name: 'findTask',
        method: 'get',
        route: '/task/<indexPath>',
        scopes: 'index:find-task:<indexPath>',
        handle: ({ params }) => find(params.indexPath),
      }),
      endpoint({
        name: 'findTasksAtIndex',
        method: 'post',
        route: '/tasks/indexes',
        scopes: { AllOf: [{ for: 'indexPath', in: 'indexPaths', each: 'index:find-task:<indexPath>' }] },
        scopeParameters: ({ body }) => ({ indexPaths: body.indexes }),
        input: z.strictObject({ indexes: z.array(z.string()).default([]) }),
        handle({ body, query }) {
          const found = [...new Set(body.indexes)].sort().flatMap((path) => indexed.find(path) ?? []);
          const entries = found.map((value) => ({ key: value.namespace, value }));
          return answerPage('tasks', slicePage(entries, query));
        },
      }),
      endpoint({
        name: 'listNamespaces',
        method: 'get',
        route: '/namespaces/<namespace>',
        scopes: 'index:list-namespaces:<namespace>',
        handle: ({ params, query }) =>
          answerPage('namespaces', slicePage(indexed.namespacesIn(params.namespace), query)),
      }),
      endpoint({
        name: 'listTasks',
        method: 'get',
        route: '/tasks/<namespace>',
        scopes: 'index:list-tasks:<namespace>',
        handle: ({ params, query }) =>
          answerPage('tasks', slicePage(indexed.tasksIn(params.namespace), query)),
      }),
      endpoint({
        name: 'insertTask',
        method: 'put',
        route: '/task/<namespace>',
        scopes: 'index:insert-task:<namespace>',
        input: z.strictObject({ taskId: slugid, rank: z.number(), data: jsonObject, expires: datetime }),
        handle: ({ params, body }) => indexed.insert({ namespace: params.namespace, ...body }),
      }),
      endpoint({
        name: 'deleteTask',
        method: 'delete',
        route: '/task/<namespace>',
        scopes: 'index:delete-task:<namespace>',
        handle: ({ params }) => void indexed.delete(params.namespace),
      }),
      endpoint({
        name: 'findArtifactFromTask',
        method: 'get',
        route: '/task/<indexPath>/artifacts/<name>',
        scopes: 'queue:get-artifact:<name>',
        handle: ({ params: { indexPath, name } }) => seeOther(artifactUrl(find(indexPath).taskId, name)),
      }),
    ],
  };
}
