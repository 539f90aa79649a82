import type { Part } from './document.ts';
import { h, type Markup, table } from './markup.ts';
import type { GroupSummary, WorkerView } from './page-views.ts';
import { stateBadge } from './run-parts.ts';
import { workerParts } from './worker-parts.ts';

/** What is here: a worker, or the groups of a queue, or both. */
export function homeParts(
  { worker, groups }: { worker: WorkerView | undefined; groups: GroupSummary[] | undefined },
  base: string,
): Part[] {
  return [
    ...(worker === undefined ? [] : workerParts(worker, base)),
    ...(groups === undefined ? [] : [groupsPart(groups, base)]),
  ];
}

function groupsPart(groups: GroupSummary[], base: string): Part {
  const rows = groups.map(({ groupId, name, states }) => [
    h('a', { href: `${base}/groups/${groupId}` }, name || groupId),
    countsOf(states),
  ]);
  return {
    id: 'groups',
    content: [
      h('h1', {}, 'Groups of tasks'),
      rows.length === 0 ? h('p', {}, 'There are none yet.') : table('Groups', ['First task', 'Tasks'], rows),
    ],
  };
}

function countsOf(states: string[]): Markup[] {
  return [...Map.groupBy(states, (state) => state)].flatMap(([state, all]) => [
    stateBadge(state),
    ` ${all.length} `,
  ]);
}
