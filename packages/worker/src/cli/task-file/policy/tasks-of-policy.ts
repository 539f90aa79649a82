import { schemaProblems } from '../../../payload/schema-messages.ts';
import type { Problem } from '../../../problem.ts';
import { type EventSource, eventKinds, type RepositoryEvent, tasksFor } from '../event/event.ts';
import type { TemplateContext } from '../render-template.ts';
import { type Policy, type PolicyTask, PolicyV0, PolicyV1 } from './policy.ts';
import { renderV0 } from './render-v0.ts';
import { renderV1 } from './render-v1.ts';

export interface PolicyTasks {
  tasks: PolicyTask[];
  /** What the policy asks for beside its tasks, and is not done here; one sentence each. */
  notices: string[];
}

/**
 * The tasks that a `.taskcluster.yml` makes for an event, as taskcluster-github makes them. A policy without tasks for it is a
 * problem that names the events that it has some for.
 */
export function tasksOfPolicy(
  document: Record<string, unknown>,
  events: EventSource | undefined,
  context: TemplateContext | undefined,
): PolicyTasks | Problem[] {
  const parsed = parse(document);
  if (Array.isArray(parsed)) {
    return parsed;
  }
  if (events === undefined) {
    const message = `a policy of version ${parsed.version} makes tasks for events: add --event ${eventKinds.join('|')}, or --event-file FILE`;
    return [{ path: '', message }];
  }
  const { kind } = events;
  const tasks = render(parsed, events.of(kind) as RepositoryEvent, context);
  if (!Array.isArray(tasks)) {
    return [tasks];
  }
  const hooks = parsed.version === 1 ? (parsed.hooks ?? []) : [];
  if (tasks.length === 0) {
    return [{ path: '', message: withoutTasksText(parsed, events, context) }];
  }
  return {
    tasks,
    notices: hooks.map(
      ({ name }) => `the policy triggers the hook ${name}, which is not here: it is passed over`,
    ),
  };
}

function parse(document: Record<string, unknown>): Policy | Problem[] {
  const schema = document.version === 0 ? PolicyV0 : PolicyV1;
  if (document.version !== 0 && document.version !== 1) {
    return [{ path: 'version', keys: ['version'], message: 'must be 0 or 1' }];
  }
  const parsed = schema.safeParse(document);
  return parsed.success ? parsed.data : schemaProblems(parsed.error.issues, { schema, document, root: '' });
}

function render(
  policy: Policy,
  event: RepositoryEvent,
  context: TemplateContext | undefined,
): PolicyTask[] | Problem {
  return policy.version === 0 ? renderV0(policy, event) : renderV1(policy, event, context);
}

function withoutTasksText(policy: Policy, events: EventSource, context: TemplateContext | undefined): string {
  const { kind } = events;
  const others = eventKinds.filter((other) => {
    const event = other === kind ? undefined : events.of(other);
    const tasks = event === undefined ? [] : render(policy, event, context);
    return Array.isArray(tasks) && tasks.length > 0;
  });
  const isForbidden =
    kind === 'issue-comment' && (policy.version === 0 || policy.policy?.allowComments === undefined);
  const why = isForbidden ? ', since it does not say policy: {allowComments: collaborators}' : '';
  const hooks = policy.version === 1 && policy.hooks?.length ? '; it triggers hooks, which are not here' : '';
  const mend =
    others.length > 0
      ? `; it has some for ${others.map((other) => `--event ${other}`).join(', ')}`
      : '; nor for any other event that could be tried';
  return `the policy makes no tasks for ${kind} (${tasksFor[kind]})${why}${hooks}${mend}`;
}
