import taskcluster from 'taskcluster-client';
import type { TaskDocument } from '../task-file.ts';
import { localPool } from './local-worker.ts';

export interface TaskOverrides {
  scopes: string[];
  env: Record<string, string>;
}

/** The definition that is created from a document of a task file; what the document says goes before our defaults. */
export function taskDefinition(
  { task, payload, name }: TaskDocument,
  { scopes, env }: TaskOverrides,
): object {
  const now = new Date();
  const written = payload as { env?: Record<string, string> };
  return {
    created: now.toJSON(),
    deadline: taskcluster.fromNowJSON('1 day', now),
    expires: taskcluster.fromNowJSON('2 days', now),
    ...task,
    ...localPool,
    taskQueueId: `${localPool.provisionerId}/${localPool.workerType}`,
    metadata: {
      name,
      description: 'A task run by docker-worker run-task.',
      owner: 'nobody@localhost.localdomain',
      source: 'http://localhost/run-task',
      ...task.metadata,
    },
    scopes: [...new Set([...(task.scopes ?? []), ...scopes])],
    payload: Object.keys(env).length === 0 ? payload : { ...written, env: { ...written.env, ...env } },
  };
}
