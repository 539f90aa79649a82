import { matchesGlob } from 'node:path';
import { nearestName } from '../../../payload/nearest-name.ts';
import { UserError } from '../../../user-error.ts';
import type { TaskNode } from './task-graph.ts';

/**
 * Those tasks whose names match one of the globs, with all that they need; all tasks without globs. What a task needs stands before
 * it.
 *
 * @throws UserError
 */
export function selectTasks(nodes: TaskNode[], globs: string[]): TaskNode[] {
  const byId = new Map(nodes.map((node) => [node.taskId, node]));
  const ordered = new Set<TaskNode>();
  for (const node of globs.length === 0 ? nodes : targets(nodes, globs)) {
    visit(node, []);
  }
  return [...ordered];

  function visit(node: TaskNode, above: TaskNode[]): void {
    if (above.includes(node)) {
      const circle = [...above.slice(above.indexOf(node)), node].map(({ name }) => name);
      throw new UserError(`tasks that wait for each other would never run: ${circle.join(' needs ')}`);
    }
    if (ordered.has(node)) {
      return;
    }
    for (const taskId of node.dependencies) {
      visit(byId.get(taskId) as TaskNode, [...above, node]);
    }
    ordered.add(node);
  }
}

function targets(nodes: TaskNode[], globs: string[]): TaskNode[] {
  const found = globs.map((glob) =>
    nodes.filter(({ name, taskId }) => glob === taskId || matches(name, glob)),
  );
  const missing = globs.find((_, index) => found[index]?.length === 0);
  if (missing !== undefined) {
    const names = nodes.map(({ name }) => name);
    const nearest = nearestName(missing, names);
    const mend =
      nearest === undefined
        ? `--list names the ${names.length} that there are`
        : `did you mean '${nearest}'?`;
    throw new UserError(`--target ${missing}: no task is called so; ${mend}`);
  }
  const chosen = new Set(found.flat());
  return nodes.filter((node) => chosen.has(node));
}

/** A label is no path: `*` stands for slashes, too. */
function matches(name: string, glob: string): boolean {
  const plain = (text: string) => text.replaceAll('/', '\u0001');
  return name === glob || matchesGlob(plain(name), plain(glob));
}
