import taskcluster from 'taskcluster-client';
import { type Problem, problemPath } from '../../../problem.ts';
import { rootUrlStandIn } from '../root-url.ts';

/** The taskId that a task has for a name, which is that of a dependency, `self` or `decision`. */
export type Lookup = (name: string) => string | undefined;

/**
 * A copy of a task definition with what taskgraph leaves open: `{task-reference: "<name>"}`, `{artifact-reference: "<name/path>"}`
 * and `{relative-datestamp: "1 day"}`. What names no task is a problem.
 */
export function resolveReferences(
  content: unknown,
  lookup: Lookup,
): { content: unknown; problems: Problem[] } {
  const problems: Problem[] = [];
  return { content: resolved(content, []), problems };

  function resolved(value: unknown, keys: PropertyKey[]): unknown {
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    if (Array.isArray(value)) {
      return value.map((item, index) => resolved(item, [...keys, index]));
    }
    const entries = Object.entries(value);
    const [[form, text] = []] = entries;
    if (entries.length === 1 && typeof text === 'string') {
      switch (form) {
        case 'task-reference':
          return text.replace(/<([^<>]+)>/g, (_, name) => idOf(name, keys));
        case 'artifact-reference':
          return text.replace(
            /<([^<>/]+)\/([^<>]+)>/g,
            (_, name, path) =>
              `${rootUrlStandIn}/api/queue/v1/task/${idOf(name, keys)}/artifacts/${encodeURI(path)}`,
          );
        case 'relative-datestamp':
          return taskcluster.fromNowJSON(text);
      }
    }
    return Object.fromEntries(entries.map(([key, inner]) => [key, resolved(inner, [...keys, key])]));
  }

  function idOf(name: string, keys: PropertyKey[]): string {
    const taskId = lookup(name);
    if (taskId === undefined) {
      const message = `refers to <${name}>, which is none of the task's dependencies; add it to those`;
      problems.push({ path: problemPath('', keys), keys, message });
    }
    return taskId ?? '';
  }
}
