import type { LogLength } from './live-parts.ts';
import { LogLines } from './log-lines.ts';
import { LogSearch } from './log-search.ts';
import { lineHeight, ScrollSpace } from './scroll-space.ts';
import { styledText } from './styled-text.ts';

/** The log as a list of which only the lines that are seen exist. */
export class LogView {
  readonly #lines: LogLines;
  readonly #space = new ScrollSpace();
  readonly #search: LogSearch;
  readonly #scroller = made('div', 'lines');
  readonly #spacer = made('div', 'spacer');
  readonly #rows = made('div', 'rows');
  readonly #follow = made('button', 'follow');
  /** By their lines; those that stay as they are are used again. */
  #shown = new Map<number, { content: string; row: HTMLElement }>();
  #follows = true;
  /** Of the address, as in `#L120`. */
  #marked: number | undefined;
  /** Where this view has scrolled to itself. */
  #own = -1;
  #isDue = false;

  constructor(place: HTMLElement) {
    const address = place.dataset.log ?? '';
    this.#lines = new LogLines(address, () => this.#render());
    this.#search = new LogSearch(address, {
      top: () => this.#space.top,
      show: (line) => this.#show(line),
    });
    this.#scroller.tabIndex = 0;
    this.#scroller.setAttribute('role', 'region');
    this.#scroller.setAttribute('aria-label', 'Lines of the log');
    this.#scroller.append(this.#spacer, this.#rows);
    this.#follow.type = 'button';
    this.#follow.addEventListener('click', () => this.#setFollowing(!this.#follows));
    const bar = made('div', 'log-bar');
    bar.append(this.#search.form, this.#follow);
    place.replaceChildren(bar, this.#scroller);
    this.#scroller.addEventListener('scroll', () => this.#scrolled());
    new ResizeObserver(() => this.#resize()).observe(this.#scroller);
    addEventListener('hashchange', () => this.#goToAnchor());
    this.#setFollowing(true);
    this.#goToAnchor();
  }

  grow(length: LogLength): void {
    const isFirst = this.#lines.count === 0;
    this.#lines.grow(length);
    this.#resize();
    if (isFirst) {
      this.#goToAnchor();
    }
  }

  #resize(): void {
    this.#space.resize(this.#lines.count, this.#scroller.clientHeight / lineHeight);
    this.#spacer.style.height = `${this.#space.height}px`;
    if (this.#follows) {
      this.#scrollTo(this.#space.last);
    }
    this.#render();
  }

  #goToAnchor(): void {
    const [, number] = /^#L(\d+)$/.exec(location.hash) ?? [];
    this.#marked = number === undefined ? undefined : Number(number) - 1;
    if (this.#marked !== undefined) {
      this.#show(this.#marked);
    }
  }

  /** With some lines before it. */
  #show(line: number): void {
    this.#setFollowing(false);
    this.#scrollTo(line - 3);
    this.#render();
  }

  #setFollowing(follows: boolean): void {
    this.#follows = follows;
    this.#follow.textContent = follows ? 'Pause' : 'Follow';
    this.#follow.setAttribute('aria-pressed', String(follows));
    if (follows) {
      this.#scrollTo(this.#space.last);
      this.#render();
    }
  }

  #scrollTo(line: number): void {
    this.#own = this.#space.goTo(line);
    this.#scroller.scrollTop = this.#own;
  }

  #scrolled(): void {
    const at = this.#scroller.scrollTop;
    // Browsers round to fractions of a pixel of their own.
    if (Math.abs(at - this.#own) > 1) {
      this.#own = -1;
      this.#space.scrolled(at);
      const isAtEnd = this.#space.top >= this.#space.last - 0.5;
      if (isAtEnd !== this.#follows) {
        this.#setFollowing(isAtEnd);
      }
    }
    this.#render();
  }

  /** Once a frame, however often it is called. */
  #render(): void {
    if (!this.#isDue) {
      this.#isDue = true;
      requestAnimationFrame(() => {
        this.#isDue = false;
        this.#draw();
      });
    }
  }

  #draw(): void {
    const { top } = this.#space;
    const first = Math.floor(top);
    const count = Math.ceil(this.#scroller.clientHeight / lineHeight) + 1;
    const until = Math.min(this.#lines.count, first + count);
    const offset = this.#scroller.scrollTop - (top - first) * lineHeight;
    this.#rows.style.transform = `translateY(${Math.max(0, offset)}px)`;
    const before = this.#shown;
    this.#shown = new Map();
    for (let line = first; line < until; line += 1) {
      const text = this.#lines.get(line) ?? '';
      const className = this.#classOf(line);
      const content = `${className}\n${text}`;
      const kept = before.get(line);
      this.#shown.set(
        line,
        kept?.content === content ? kept : { content, row: rowOf(line, className, text) },
      );
    }
    const rows = [...this.#shown.values()].map(({ row }) => row);
    if (rows.length !== this.#rows.children.length || rows.some((row) => row.parentNode !== this.#rows)) {
      this.#rows.replaceChildren(...rows);
    }
  }

  #classOf(line: number): string {
    const names = {
      marked: line === this.#marked,
      found: this.#search.has(line),
      current: line === this.#search.current,
    };
    return ['row', ...Object.entries(names).flatMap(([name, is]) => (is ? [name] : []))].join(' ');
  }
}

function rowOf(line: number, className: string, content: string): HTMLElement {
  const row = made('div', className);
  const anchor = made('a', 'number');
  anchor.href = `#L${line + 1}`;
  anchor.textContent = String(line + 1);
  const text = made('span', 'text');
  for (const part of styledText(content)) {
    const span = made('span', part.classes.join(' '));
    span.textContent = part.text;
    span.style.color = part.color ?? '';
    span.style.backgroundColor = part.background ?? '';
    text.append(span);
  }
  row.append(anchor, text);
  return row;
}

function made<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.className = className;
  return element;
}
