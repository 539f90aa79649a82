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
  const written = payload as { env?: Record<string, string> };
  // One way to name a queue is enough, and another one would be somebody else's.
  const { provisionerId: _, workerType: __, ...own } = task as Record<string, unknown>;
  return {
    ...own,
    ...times(task),
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

/** The definition's own times as far as they are ahead; one copied from a deployment is usually over. */
function times({ deadline, expires }: TaskDocument['task']): {
  created: string;
  deadline: string;
  expires: string;
} {
  const now = new Date();
  const end = ahead(deadline, now) ?? taskcluster.fromNowJSON('1 day', now);
  return {
    created: now.toJSON(),
    deadline: end,
    expires: ahead(expires, new Date(end)) ?? taskcluster.fromNowJSON('1 day', new Date(end)),
  };
}

function ahead(time: string | undefined, of: Date): string | undefined {
  return time !== undefined && Date.parse(time) > of.getTime() ? time : undefined;
}
