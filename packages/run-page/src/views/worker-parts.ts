import { bytesText, timeText } from './amounts.ts';
import type { Part } from './document.ts';
import { h, type Markup, table } from './markup.ts';
import type { ContainerView, SizedView, WorkerRun, WorkerView } from './page-views.ts';
import { timeLine } from './time-line.ts';

export function workerParts(view: WorkerView, base: string): Part[] {
  return [
    {
      id: 'worker',
      content: [
        h('h1', {}, view.title),
        h('dl', {}, ...view.facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
      ],
    },
    { id: 'slots', content: [h('h2', {}, 'Slots'), ...slotsOf(view, base)] },
    {
      id: 'warm',
      content: [
        h('h2', {}, 'Made ahead'),
        view.warm.length === 0 ? h('p', {}, 'Nothing.') : h('p', {}, ...containersOf(view.warm)),
      ],
    },
    { id: 'images', content: sized('Images', view.images) },
    { id: 'caches', content: sized('Caches', view.caches) },
    {
      id: 'problems',
      content: [
        h('h2', {}, 'Last problems'),
        view.problems.length === 0
          ? h('p', {}, 'None since the worker began.')
          : table(
              'Last problems',
              ['When', 'What'],
              view.problems.map(({ time, text }) => [timeText(time), text]),
            ),
      ],
    },
  ];
}

function slotsOf({ runs, slots, busy }: WorkerView, base: string): Markup[] {
  const free = Math.max(0, slots - busy);
  const note = h('p', {}, `${free} of ${slots} are free.`);
  if (runs.length === 0) {
    return [note];
  }
  const rows = runs.map((run) => [
    h('a', { href: `${base}/tasks/${run.taskId}/${run.runId}` }, run.name || run.taskId),
    timeLine(run.phases),
    waysTo(run),
    containersOf(run.containers),
  ]);
  return [note, table('Runs', ['Task', 'Time', 'Open', 'Containers'], rows)];
}

function waysTo({ links }: WorkerRun): Markup[] {
  return links.flatMap(([name, href]) => [
    h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, name),
    ' ',
  ]);
}

function containersOf(containers: ContainerView[]): Markup[] {
  return containers.flatMap(({ role, id, state }) => [
    h('span', { class: 'container' }, `${role} `, h('code', {}, id), ` ${state}`),
    ' ',
  ]);
}

function sized(title: string, things: SizedView[]): Markup[] {
  const total = things.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  return [
    h('h2', {}, title),
    things.length === 0
      ? h('p', {}, 'None.')
      : table(
          title,
          ['Name', `Size (${bytesText(total)})`, 'Last used'],
          things.map(({ name, bytes, hasMore, lastUsed }) => [
            name,
            bytes === undefined ? 'unknown' : `${hasMore ? 'more than ' : ''}${bytesText(bytes)}`,
            lastUsed === undefined ? '' : timeText(lastUsed),
          ]),
        ),
  ];
}
