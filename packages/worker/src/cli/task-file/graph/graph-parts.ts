import type { TaskPart } from '../task-parts.ts';

type Mapping = Record<string, unknown>;

/** A task of taskgraph's `task-graph.json` or `full-task-graph.json`, or of a file written like them. */
interface Node extends Mapping {
  task: Mapping;
  label?: string;
  kind?: string;
  task_id?: string;
  dependencies?: Record<string, string> | string[];
}

/** Whether a document maps labels, or taskIds, to tasks. */
export function isGraph(document: unknown): document is Record<string, Node> {
  return isMapping(document) && Object.keys(document).length > 0 && Object.values(document).every(isNode);
}

function isNode(value: unknown): boolean {
  return isMapping(value) && isMapping(value.task) && !Object.hasOwn(value, 'payload');
}

export function graphParts(document: Record<string, Node>): TaskPart[] {
  return Object.entries(document).map(([key, { task, label, kind, task_id, dependencies = {} }]) => ({
    keys: [key, 'task'],
    content: task,
    key,
    label: label ?? key,
    ...(kind === undefined ? {} : { kind }),
    ...(task_id === undefined ? {} : { taskId: task_id }),
    dependencies: Array.isArray(dependencies)
      ? Object.fromEntries(dependencies.map((name) => [name, name]))
      : dependencies,
  }));
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
