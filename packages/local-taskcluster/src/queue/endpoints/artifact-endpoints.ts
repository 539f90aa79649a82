import { z } from 'zod';
import { type Call, type Endpoint, endpoint } from '../../api/endpoint.ts';
import { listPage, type PageQuery } from '../../api/page.ts';
import { ApiError } from '../../errors.ts';
import { slugid } from '../../fields.ts';
import { describeArtifact, latestRun, redirectToArtifact, uploadOf } from '../artifact-location.ts';
import { artifactRequest } from '../artifact-request.ts';
import { artifactInfo, isPresent } from '../artifacts.ts';
import type { Queue } from '../queue.ts';
import type { TaskRecord } from '../task-record.ts';

const GET_ARTIFACT = { AllOf: [{ for: 'name', in: 'names', each: 'queue:get-artifact:<name>' }] } as const;

type NamedCall = Pick<Call<'name'>, 'params'>;

function names({ params }: NamedCall) {
  return { names: [params.name] };
}

/** Endpoints about what runs leave behind. */
export function artifactEndpoints(queue: Queue): Endpoint[] {
  const { lifecycle, artifacts } = queue;

  function list(taskId: string, runId: number, query: PageQuery): object {
    requireRun(lifecycle.get(taskId), runId);
    const { items, next } = listPage(artifacts.collection, query, `${taskId}/${runId}/`);
    const present = items.map(({ value }) => value).filter(isPresent);
    return { artifacts: present.map(artifactInfo), ...next };
  }

  function info(taskId: string, runId: number, name: string): object {
    const artifact = artifacts.find(taskId, runId, name);
    if (!artifact) throw new ApiError('ResourceNotFound', 'Artifact not found');
    return artifactInfo(artifact);
  }

  return [
    endpoint({
      name: 'createArtifact',
      method: 'post',
      route: '/task/<taskId>/runs/<runId>/artifacts/<name>',
      scopes: 'queue:create-artifact:<taskId>/<runId>',
      input: artifactRequest,
      handle({ params: { taskId, runId, name }, body }) {
        const record = lifecycle.find(taskId);
        if (!record) throw new ApiError('InputError', 'Task not found');
        return queue.database.transaction(() => {
          const artifact = artifacts.create(record, Number(runId), name, body);
          return uploadOf(queue, record, Number(runId), artifact);
        });
      },
    }),
    endpoint({
      name: 'finishArtifact',
      method: 'put',
      route: '/task/<taskId>/runs/<runId>/artifacts/<name>',
      scopes: 'queue:create-artifact:<taskId>/<runId>',
      input: z.strictObject({ uploadId: slugid }),
      handle({ params: { taskId, runId, name }, body }) {
        artifacts.finish(taskId, Number(runId), name, body.uploadId);
        return undefined;
      },
    }),
    endpoint({
      name: 'getArtifact',
      method: 'get',
      route: '/task/<taskId>/runs/<runId>/artifacts/<name>',
      scopes: GET_ARTIFACT,
      scopeParameters: names,
      handle: ({ params, identity }) => redirectToArtifact(queue, params, identity),
    }),
    endpoint({
      name: 'getLatestArtifact',
      method: 'get',
      route: '/task/<taskId>/artifacts/<name>',
      scopes: GET_ARTIFACT,
      scopeParameters: names,
      handle: ({ params, identity }) => redirectToArtifact(queue, params, identity),
    }),
    endpoint({
      name: 'listArtifacts',
      method: 'get',
      route: '/task/<taskId>/runs/<runId>/artifacts',
      scopes: 'queue:list-artifacts:<taskId>:<runId>',
      handle: ({ params: { taskId, runId }, query }) => list(taskId, Number(runId), query),
    }),
    endpoint({
      name: 'listLatestArtifacts',
      method: 'get',
      route: '/task/<taskId>/artifacts',
      scopes: 'queue:list-artifacts:<taskId>',
      handle: ({ params: { taskId }, query }) => list(taskId, latestRun(queue, taskId), query),
    }),
    endpoint({
      name: 'artifactInfo',
      method: 'get',
      route: '/task/<taskId>/runs/<runId>/artifact-info/<name>',
      scopes: 'queue:list-artifacts:<taskId>:<runId>',
      handle: ({ params: { taskId, runId, name } }) => info(taskId, Number(runId), name),
    }),
    endpoint({
      name: 'latestArtifactInfo',
      method: 'get',
      route: '/task/<taskId>/artifact-info/<name>',
      scopes: 'queue:list-artifacts:<taskId>',
      handle: ({ params: { taskId, name } }) => info(taskId, latestRun(queue, taskId), name),
    }),
    endpoint({
      name: 'artifact',
      method: 'get',
      route: '/task/<taskId>/runs/<runId>/artifact-content/<name>',
      scopes: GET_ARTIFACT,
      scopeParameters: names,
      handle: ({ params, identity }) => describeArtifact(queue, params, identity),
    }),
    endpoint({
      name: 'latestArtifact',
      method: 'get',
      route: '/task/<taskId>/artifact-content/<name>',
      scopes: GET_ARTIFACT,
      scopeParameters: names,
      handle: ({ params, identity }) => describeArtifact(queue, params, identity),
    }),
  ];
}

function requireRun(record: TaskRecord, runId: number): void {
  if (!record.runs[runId]) throw new ApiError('ResourceNotFound', `Run ${runId} not found`);
}
