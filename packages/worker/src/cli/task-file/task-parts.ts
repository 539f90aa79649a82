import taskcluster from 'taskcluster-client';
import type { Problem } from '../../problem.ts';
import type { EventSource } from './event/event.ts';
import { graphParts, isGraph } from './graph/graph-parts.ts';
import { isPolicy } from './policy/policy.ts';
import { tasksOfPolicy } from './policy/tasks-of-policy.ts';
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
  /** Its key in a graph, which is its label or its taskId. */
  key?: string;
  /** What people call it; default: the name in its metadata. */
  label?: string;
  /** Of taskgraph. */
  kind?: string;
  /** Taskids or labels of tasks that it needs, by what it calls them itself. */
  dependencies?: Record<string, string>;
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
  return 'problem' in rendered ? [rendered.problem] : { parts: partsOf(rendered.content), notices: [] };
}

function partsOf(content: unknown): TaskPart[] {
  if (isGraph(content)) {
    return inOneGroup(graphParts(content));
  }
  return Array.isArray(content)
    ? inOneGroup(content.map((item, index) => partOf(item, [index])))
    : [partOf(content, [])];
}

/** A definition may name its own taskId, or stand beside it as `{taskId, task}`. */
function partOf(content: unknown, keys: PropertyKey[]): TaskPart {
  const { taskId, task, ...rest } = (content ?? {}) as Record<string, unknown>;
  if (typeof taskId !== 'string') {
    return { keys, content };
  }
  return Object.keys(rest).length === 0 && typeof task === 'object'
    ? { keys: [...keys, 'task'], content: task, taskId }
    : { keys, content: task === undefined ? rest : { task, ...rest }, taskId };
}

/** Those that have no group are one. */
function inOneGroup(parts: TaskPart[]): TaskPart[] {
  const taskGroupId = taskcluster.slugid();
  return parts.map((part) => {
    const isDefinition = Object.hasOwn(Object(part.content), 'payload');
    return isDefinition ? { ...part, content: { taskGroupId, ...(part.content as object) } } : part;
  });
}
