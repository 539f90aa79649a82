import taskcluster from 'taskcluster-client';
import { localPool } from '../local-pool.ts';
import type { TaskDocument } from '../task-file/task-document.ts';

export interface TaskOverrides {
  scopes: string[];
  env: Record<string, string>;
}

/** The definition that is created from a document of a task file; what the document says goes before our defaults. */
export function taskDefinition(
  { task, payload, name, dependencies }: TaskDocument,
  { scopes, env }: TaskOverrides,
): object {
  const written = withoutPast(payload) as { env?: Record<string, string> };
  // One way to name a queue is enough, and another one would be somebody else's.
  const { provisionerId: _, workerType: __, priority, ...own } = task;
  return {
    ...own,
    dependencies,
    // As queues call what was "normal" in old definitions.
    ...(priority === undefined ? {} : { priority: priority === 'normal' ? 'lowest' : priority }),
    ...times(task, payload),
    taskQueueId: `${localPool.provisionerId}/${localPool.workerType}`,
    metadata: {
      name,
      description: 'A task run by docker-worker run-task.',
      owner: 'nobody@localhost.localdomain',
      source: 'http://localhost/run-task',
      ...task.metadata,
    },
    scopes: [...new Set([...(task.scopes ?? []), ...scopes])],
    payload: Object.keys(env).length === 0 ? written : { ...written, env: { ...written.env, ...env } },
  };
}

/** The definition's own times as far as a queue takes them; in one copied from a deployment they are usually over. */
function times(
  { deadline, expires }: TaskDocument['task'],
  payload: unknown,
): { created: string; deadline: string; expires: string } {
  const now = new Date();
  const latest = taskcluster.fromNowJSON('5 days', now);
  const end =
    [ahead(deadline, now) ?? taskcluster.fromNowJSON('1 day', now), latest].sort(byTime)[0] ?? latest;
  const usual = taskcluster.fromNowJSON('1 day', new Date(end));
  return {
    created: now.toJSON(),
    deadline: end,
    // No artifact may outlive its task.
    expires: ahead(expires, new Date(end)) ?? [usual, ...artifactTimes(payload)].sort(byTime).at(-1) ?? usual,
  };
}

function ahead(time: string | undefined, of: Date): string | undefined {
  return time !== undefined && Date.parse(time) > of.getTime() ? time : undefined;
}

function byTime(one: string, other: string): number {
  return Date.parse(one) - Date.parse(other);
}

function artifactTimes(payload: unknown): string[] {
  return Object.values(artifactsOf(payload)).flatMap(({ expires }) => expires ?? []);
}

/** Without times of artifacts that are over, so that they last as long as the task. */
function withoutPast(payload: unknown): unknown {
  const entries = Object.entries(artifactsOf(payload));
  if (entries.every(([, { expires }]) => expires === undefined || ahead(expires, new Date()) !== undefined)) {
    return payload;
  }
  const artifacts = entries.map(([name, { expires, ...artifact }]) => {
    const kept = ahead(expires, new Date());
    return [name, kept === undefined ? artifact : { ...artifact, expires: kept }];
  });
  return { ...(payload as object), artifacts: Object.fromEntries(artifacts) };
}

function artifactsOf(payload: unknown): Record<string, { expires?: string }> {
  return (payload as { artifacts?: Record<string, { expires?: string }> }).artifacts ?? {};
}
