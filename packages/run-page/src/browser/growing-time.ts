import { durationText } from '../views/amounts.ts';

/** Lets the bars of phases that go on grow, once a second while somebody sees the page. */
export function growTimeLines(): void {
  setInterval(() => {
    if (!document.hidden) {
      for (const line of document.querySelectorAll('.time-line:has(li:not([data-until]))')) {
        grow([...line.querySelectorAll<HTMLElement>('li')]);
      }
    }
  }, 1000);
}

function grow(phases: HTMLElement[]): void {
  const spans = phases.map((element) => {
    const { from = '', until } = element.dataset;
    return { element, start: Date.parse(from), end: until === undefined ? Date.now() : Date.parse(until) };
  });
  const begin = Math.min(...spans.map(({ start }) => start));
  const total = Math.max(1, Math.max(...spans.map(({ end }) => end)) - begin);
  for (const { element, start, end } of spans) {
    const bar = element.querySelector('rect');
    bar?.setAttribute('x', String(Math.round(((start - begin) / total) * 1000)));
    bar?.setAttribute('width', String(Math.max(2, Math.round(((end - start) / total) * 1000))));
    const seconds = element.querySelector('.seconds');
    if (seconds !== null) {
      seconds.textContent = durationText(end - start);
    }
  }
}
