import { growTimeLines } from './growing-time.ts';
import { followParts, type LogLength } from './live-parts.ts';
import { LogView } from './log-view.ts';
import { followTheme } from './theme.ts';

let view: LogView | undefined;
let length: LogLength | undefined;
let shownIn: Element | null = null;

followTheme(element('#theme'));
growTimeLines();
showLog();
followParts(element('main'), element('#connection'), {
  onPart: showLog,
  onLog(told) {
    length = told;
    view?.grow(told);
  },
});

/** Once there is a place for it, which may come later than the page. */
function showLog(): void {
  const place = document.querySelector<HTMLElement>('.log');
  if (place !== null && place !== shownIn) {
    shownIn = place;
    view = new LogView(place);
    if (length !== undefined) {
      view.grow(length);
    }
  }
}

function element(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) {
    throw new Error(`the page has no element "${selector}"`);
  }
  return found;
}
