import { durationText } from './amounts.ts';
import { h, type MarkupElement } from './markup.ts';
import type { Phase } from './page-views.ts';

/** The phases as bars on one axis. Those that go on say so, for a script that lets them grow. */
export function timeLine(phases: Phase[], now = new Date()): MarkupElement {
  if (phases.length === 0) {
    return h('p', {}, 'It has not begun.');
  }
  const spans = phases.map((phase) => ({
    ...phase,
    start: Date.parse(phase.from),
    end: phase.until === undefined ? now.getTime() : Date.parse(phase.until),
  }));
  const begin = Math.min(...spans.map(({ start }) => start));
  const total = Math.max(1, Math.max(...spans.map(({ end }) => end)) - begin);
  return h(
    'ol',
    { class: 'time-line' },
    ...spans.map(({ name, note, from, until, start, end }) =>
      h(
        'li',
        { 'data-phase': name, 'data-from': from, 'data-until': until },
        h('span', { class: 'phase' }, name),
        h(
          'svg',
          { viewBox: '0 0 1000 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
          h('rect', {
            ...{ class: `bar ${name}`, y: 0, height: 8 },
            x: Math.round(((start - begin) / total) * 1000),
            width: Math.max(2, Math.round(((end - start) / total) * 1000)),
          }),
        ),
        h('span', { class: 'seconds' }, durationText(end - start)),
        note !== undefined && h('span', { class: 'note' }, note),
      ),
    ),
  );
}
