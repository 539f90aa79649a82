import type { Part } from '../views/document.ts';
import { toDom } from './to-dom.ts';

export interface LogLength {
  lines: number;
  bytes: number;
  ended: boolean;
}

export interface LiveListener {
  onPart(): void;
  onLog(length: LogLength): void;
}

/** Puts what has changed in the place of what was there, as the server tells it; the browser takes a lost connection up again. */
export function followParts(
  main: HTMLElement,
  connection: HTMLElement,
  { onPart, onLog }: LiveListener,
): void {
  const events = new EventSource(main.dataset.events ?? '');
  const shown = new Map<string, string>();
  events.addEventListener('open', () => {
    connection.textContent = 'Live';
    connection.dataset.state = 'live';
  });
  events.addEventListener('error', () => {
    connection.textContent = events.readyState === EventSource.CLOSED ? 'Over' : 'Connection lost';
    connection.dataset.state = 'lost';
  });
  events.addEventListener('title', ({ data }) => {
    document.title = JSON.parse(data) as string;
  });
  events.addEventListener('gone', () => {
    connection.textContent = 'It is not here any more';
    connection.dataset.state = 'lost';
    events.close();
  });
  events.addEventListener('part', ({ data }) => {
    const { id, content } = JSON.parse(data) as Part;
    const section = document.getElementById(id);
    // After a lost connection everything is told again.
    if (section !== null && shown.get(id) !== data) {
      shown.set(id, data);
      replace(section, content);
      onPart();
    }
  });
  events.addEventListener('log', ({ data }) => onLog(JSON.parse(data) as LogLength));
}

/** What a person has opened stays open, and where the keyboard is it stays. */
function replace(section: HTMLElement, content: Part['content']): void {
  const made = document.createElement('section');
  made.append(...content.map((each) => toDom(each)));
  if (made.innerHTML === section.innerHTML || isShownLog(section, made)) {
    return;
  }
  const open = [...section.querySelectorAll('details[open]')].map(({ id }) => id);
  const focusable = 'a, button, summary, [tabindex]';
  const focused = [...section.querySelectorAll(focusable)].indexOf(document.activeElement as Element);
  section.replaceChildren(...made.childNodes);
  for (const id of open) {
    section.querySelector(`details[id="${CSS.escape(id)}"]`)?.setAttribute('open', '');
  }
  if (focused >= 0) {
    (section.querySelectorAll(focusable)[focused] as HTMLElement | undefined)?.focus();
  }
}

/** The script has filled the place of the log; it is the same log as before. */
function isShownLog(section: HTMLElement, made: HTMLElement): boolean {
  const addressIn = (element: HTMLElement) => element.querySelector<HTMLElement>('.log')?.dataset.log;
  return addressIn(section) !== undefined && addressIn(section) === addressIn(made);
}
