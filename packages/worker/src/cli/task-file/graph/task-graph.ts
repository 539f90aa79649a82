import { SLUGID } from '@docker-worker/local-taskcluster/fields';
import taskcluster from 'taskcluster-client';
import { nearestName } from '../../../payload/nearest-name.ts';
import { type Problem, problemBelow, problemPath } from '../../../problem.ts';
import type { TaskPart } from '../task-parts.ts';
import { resolveReferences } from './references.ts';

/** A task of a file among the others of it. */
export interface TaskNode {
  part: TaskPart;
  name: string;
  taskId: string;
  /** TaskIds of those in the file that it needs. */
  dependencies: string[];
  /** TaskIds of others. */
  outside: string[];
  /** The definition with its references resolved, and without dependencies. */
  content: unknown;
  problems: Problem[];
}

/**
 * The tasks of a file with the ids that they have, or are given, and what they need of each other by whatever name: taskId, label,
 * or name.
 *
 * @param stem of the names of tasks that have none
 */
export function taskGraph(parts: TaskPart[], stem: string): TaskNode[] {
  const named = parts.map((part, index) => ({
    part,
    name: part.label ?? nameIn(part) ?? (parts.length === 1 ? stem : `${stem}-${index + 1}`),
    taskId:
      part.taskId ?? (part.key !== undefined && SLUGID.test(part.key) ? part.key : taskcluster.slugid()),
  }));
  const ids = new Map<string, string>();
  for (const { part, name, taskId } of named) {
    for (const alias of [taskId, part.key, name]) {
      if (alias !== undefined && !ids.has(alias)) {
        ids.set(alias, taskId);
      }
    }
  }
  return named.map((one) => {
    const connections = connected(one.part, one.taskId, ids);
    const isTwice = named.some((other) => other !== one && other.taskId === one.taskId);
    return {
      ...one,
      ...connections,
      problems: isTwice ? [problemBelow(one.part.keys, sameId(one.taskId))] : connections.problems,
    };
  });
}

function sameId(taskId: string): Problem {
  return { path: '', message: `its taskId ${taskId} is that of another task, too; give it one of its own` };
}

function nameIn({ content }: TaskPart): string | undefined {
  const { metadata } = (content ?? {}) as { metadata?: { name?: unknown } };
  return typeof metadata?.name === 'string' ? metadata.name : undefined;
}

function connected(
  part: TaskPart,
  taskId: string,
  ids: ReadonlyMap<string, string>,
): Pick<TaskNode, 'dependencies' | 'outside' | 'content' | 'problems'> {
  const { edges = {}, written, content } = dependenciesOf(part);
  const lookup = (name: string) =>
    name === 'self' ? taskId : name === 'decision' ? groupOf(content, taskId) : ids.get(edges[name] ?? name);
  const problems: Problem[] = [];
  const inside = new Set<string>();
  const outside = new Set<string>();
  for (const { name, keys } of written) {
    const known = ids.get(name);
    if (known !== undefined) {
      inside.add(known);
    } else if (SLUGID.test(name)) {
      outside.add(name);
    } else {
      problems.push({ path: problemPath('', keys), keys, message: unknownText(name, [...ids.keys()]) });
    }
  }
  const references = resolveReferences(content, lookup);
  return {
    dependencies: [...inside],
    outside: [...outside],
    content: references.content,
    problems: [...problems, ...references.problems.map((problem) => problemBelow(part.keys, problem))],
  };
}

/** What a part says of its dependencies in the graph's way and in the queue's, and the rest of its definition. */
function dependenciesOf({ keys, content, dependencies: edges = {} }: TaskPart) {
  const inGraph = Object.entries(edges).map(([edge, name]) => ({
    name,
    keys: [...keys.slice(0, -1), 'dependencies', edge],
  }));
  const { dependencies: own } = (content ?? {}) as { dependencies?: unknown };
  if (!Array.isArray(own) || !own.every((name) => typeof name === 'string')) {
    return { edges, written: inGraph, content };
  }
  const { dependencies: _, ...rest } = content as Record<string, unknown>;
  const inTask = own.map((name, index) => ({ name, keys: [...keys, 'dependencies', index] }));
  return { edges, written: [...inGraph, ...inTask], content: rest };
}

function groupOf(content: unknown, taskId: string): string {
  const { taskGroupId } = (content ?? {}) as { taskGroupId?: unknown };
  return typeof taskGroupId === 'string' ? taskGroupId : taskId;
}

function unknownText(name: string, known: string[]): string {
  const nearest = nearestName(name, known);
  const mend = nearest === undefined ? 'give a taskId, a label or a name' : `did you mean '${nearest}'?`;
  return `no task of this file is called '${name}'; ${mend}`;
}
