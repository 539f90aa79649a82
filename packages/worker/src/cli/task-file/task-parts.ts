import type { Problem } from '../../problem.ts';
import type { EventSource } from '../run-task/event/event.ts';
import { isPolicy } from '../run-task/policy/policy.ts';
import { tasksOfPolicy } from '../run-task/policy/tasks-of-policy.ts';
import { renderTemplate, type TemplateContext } from './render-template.ts';

/** What a document is to be read with. */
export interface TemplateValues {
  /** For JSON-e. */
  context?: TemplateContext | undefined;
  /** For policies, whose tasks are made for events. */
  events?: EventSource | undefined;
}

/** A part of a document that is one task. */
export interface TaskPart {
  /** Where in the document it stands. */
  keys: readonly PropertyKey[];
  /** A task definition, or just a payload. */
  content: unknown;
  taskId?: string;
}

export interface TaskParts {
  parts: TaskPart[];
  /** What somebody should know of them, one sentence each. */
  notices: string[];
}

/** The tasks that a document is made of, with its templates rendered. */
export function taskParts(document: unknown, { context, events }: TemplateValues): TaskParts | Problem[] {
  if (isPolicy(document)) {
    const policy = tasksOfPolicy(document, events, context);
    return Array.isArray(policy)
      ? policy
      : {
          parts: policy.tasks.map(({ taskId, task }, index) => ({
            keys: ['tasks', index],
            content: task,
            taskId,
          })),
          notices: [...(events?.notices ?? []), ...policy.notices],
        };
  }
  if (events !== undefined) {
    return [
      {
        path: '',
        message: 'an event is for a .taskcluster.yml, which has version and tasks; leave --event out',
      },
    ];
  }
  const rendered = renderTemplate(document, context);
  return 'problem' in rendered
    ? [rendered.problem]
    : { parts: [{ keys: [], content: rendered.content }], notices: [] };
}
