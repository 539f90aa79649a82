import { durationText } from './amounts.ts';
import type { Part } from './document.ts';
import { groupGraph } from './group-graph.ts';
import { h, table } from './markup.ts';
import type { GroupTask, GroupView } from './page-views.ts';
import { actionForm, stateBadge } from './run-parts.ts';

export function groupParts({ groupId, tasks }: GroupView, base: string): Part[] {
  const names = new Map(tasks.map(({ taskId, name }) => [taskId, name || taskId]));
  const rows = tasks.map((task) => [
    h('a', { href: addressOf(task, base) }, names.get(task.taskId)),
    stateBadge(task.state, task.reason),
    durationOf(task),
    task.dependencies.map((taskId) => names.get(taskId) ?? taskId).join(', '),
    task.actions.map((action) => actionForm(task.taskId, action, base, task.name)),
  ]);
  return [
    { id: 'state', content: [h('h1', {}, 'Group'), h('p', {}, h('code', {}, groupId))] },
    { id: 'graph', content: groupGraph(tasks, (task) => addressOf(task, base)) },
    {
      id: 'tasks',
      content: [h('h2', {}, 'Tasks'), table('Tasks', ['Task', 'State', 'Time', 'Needs', 'Do'], rows)],
    },
  ];
}

function addressOf({ taskId, runId }: GroupTask, base: string): string {
  return `${base}/tasks/${taskId}/${runId ?? 'none'}`;
}

function durationOf({ started, resolved }: GroupTask): string {
  return started === undefined || resolved === undefined
    ? ''
    : durationText(Date.parse(resolved) - Date.parse(started));
}
