import taskcluster from 'taskcluster-client';
import { found } from '../../../payload/found.ts';
import { type Problem, problemPath } from '../../../problem.ts';
import { type RepositoryEvent, tasksFor } from '../event/event.ts';
import { renderTemplate, type TemplateContext } from '../render-template.ts';
import { rootUrlStandIn } from '../root-url.ts';
import type { PolicyTask, PolicyV1 } from './policy.ts';

const schedulerId = 'taskcluster-github';

/**
 * The tasks of a policy for an event, in the order in which they stand there.
 *
 * @param context goes before what the platform gives
 */
export function renderV1(
  policy: PolicyV1,
  { kind, context: own }: RepositoryEvent,
  context: TemplateContext = {},
): PolicyTask[] | Problem {
  if (kind === 'issue-comment' && policy.policy?.allowComments === undefined) {
    return [];
  }
  const ids = new Map<unknown, string>();
  const { version: _, ...template } = policy;
  const rendered = renderTemplate(template, {
    tasks_for: tasksFor[kind],
    taskcluster_root_url: rootUrlStandIn,
    as_slugid(label: unknown) {
      const id = ids.get(label) ?? taskcluster.slugid();
      ids.set(label, id);
      return id;
    },
    ...own,
    ...context,
  });
  if ('problem' in rendered) {
    return rendered.problem;
  }
  const { tasks = [], reporting } = rendered.content as { tasks?: unknown; reporting?: string };
  if (!Array.isArray(tasks)) {
    return unlike(['tasks'], tasks, 'a list of tasks');
  }
  const wrong = tasks.findIndex((task) => typeof task !== 'object' || task === null || Array.isArray(task));
  return wrong < 0
    ? completed(tasks, reporting === undefined ? 'statuses' : 'checks')
    : unlike(['tasks', wrong], tasks[wrong], 'a task definition');
}

function unlike(keys: PropertyKey[], value: unknown, expected: string): Problem {
  const message = `found ${found(value)} once it is rendered, expected ${expected}`;
  return { path: problemPath('', keys), keys, message };
}

/** A sole task is the decision task of its group; of several none is. */
function completed(tasks: Record<string, unknown>[], route: string): PolicyTask[] {
  const shared = tasks.length > 1 ? taskcluster.slugid() : undefined;
  return tasks.map((task) => {
    const taskId = (task.taskId ?? (shared === undefined ? task.taskGroupId : undefined)) as
      | string
      | undefined;
    const id = taskId ?? taskcluster.slugid();
    const { taskId: _, ...definition } = task;
    const routes = Array.isArray(task.routes) ? task.routes : [];
    return {
      taskId: id,
      task: {
        schedulerId,
        taskGroupId: shared ?? id,
        created: taskcluster.fromNowJSON('0 seconds'),
        ...definition,
        routes: [...new Set([...routes, route])],
      },
    };
  });
}
