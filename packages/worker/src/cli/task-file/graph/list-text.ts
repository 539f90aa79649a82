import type { TaskDocument } from '../task-document.ts';

/** The tasks of a graph in an order in which they can run, one line each: name, kind, and what they need. */
export function listText(tasks: TaskDocument[]): string {
  const names = new Map(tasks.map(({ taskId, name }) => [taskId, name]));
  const rows = tasks.map(({ name, kind, dependencies }) => [
    name,
    kind ?? '',
    dependencies.length === 0 ? '' : `needs ${dependencies.map((taskId) => names.get(taskId)).join(', ')}`,
  ]);
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([name = '', kind = '', needs = '']) =>
      [name.padEnd(widths[0] ?? 0), ...(widths[1] ? [kind.padEnd(widths[1])] : []), needs]
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
