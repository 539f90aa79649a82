import { h, type Markup } from './markup.ts';
import type { GroupTask } from './page-views.ts';

/** More than that is no picture any more; the table has them. */
const mostTasks = 200;
const box = { width: 180, height: 44, right: 70, below: 16 };
const margin = 8;

interface Place {
  task: GroupTask;
  x: number;
  y: number;
}

/** Tasks as boxes, each to the right of those that it needs, which lines lead from. */
export function groupGraph(tasks: GroupTask[], addressOf: (task: GroupTask) => string): Markup[] {
  const title = h('h2', {}, 'Graph');
  if (tasks.length > mostTasks) {
    return [title, h('p', {}, `${tasks.length} tasks are too many to draw.`)];
  }
  const places = placesOf(tasks);
  const width = Math.max(0, ...places.values().map(({ x }) => x)) + box.width + margin;
  const height = Math.max(0, ...places.values().map(({ y }) => y)) + box.height + margin;
  const all = [...places.values()];
  return [
    title,
    h(
      'div',
      { class: 'wide', role: 'region', 'aria-label': 'Graph', tabindex: 0 },
      h(
        'svg',
        {
          class: 'graph',
          width,
          height,
          viewBox: `0 0 ${width} ${height}`,
          role: 'group',
          'aria-label': 'Tasks',
        },
        ...all.flatMap((to) =>
          to.task.dependencies.flatMap((taskId) => {
            const from = places.get(taskId);
            return from === undefined ? [] : [line(from, to)];
          }),
        ),
        ...all.map(({ task, x, y }) =>
          h(
            'a',
            { href: addressOf(task), class: `task ${task.state}` },
            h('rect', { x, y, width: box.width, height: box.height, rx: 6 }),
            h('text', { x: x + 10, y: y + 18 }, shortened(task.name || task.taskId)),
            h('text', { x: x + 10, y: y + 36, class: 'small' }, task.reason ?? task.state),
          ),
        ),
      ),
    ),
  ];
}

function placesOf(tasks: GroupTask[]): Map<string, Place> {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const columns = new Map<string, number>();
  const columnOf = (taskId: string, above: ReadonlySet<string>): number => {
    const known = columns.get(taskId);
    const task = byId.get(taskId);
    if (known !== undefined || task === undefined || above.has(taskId)) {
      return known ?? -1;
    }
    const path = new Set([...above, taskId]);
    const column = 1 + Math.max(-1, ...task.dependencies.map((each) => columnOf(each, path)));
    columns.set(taskId, column);
    return column;
  };
  const rows = new Map<number, number>();
  return new Map(
    tasks.map((task) => {
      const column = columnOf(task.taskId, new Set());
      const row = rows.get(column) ?? 0;
      rows.set(column, row + 1);
      const x = margin + column * (box.width + box.right);
      return [task.taskId, { task, x, y: margin + row * (box.height + box.below) }];
    }),
  );
}

function line(from: Place, to: Place): Markup {
  const [x1, y1] = [from.x + box.width, from.y + box.height / 2];
  const [x2, y2] = [to.x, to.y + box.height / 2];
  const middle = (x1 + x2) / 2;
  return h('path', { class: 'needs', d: `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` });
}

function shortened(name: string): string {
  const characters = [...name];
  return characters.length > 22 ? `${characters.slice(0, 21).join('')}…` : name;
}
