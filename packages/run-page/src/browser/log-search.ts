interface Found {
  lines: number[];
  more: boolean;
}

export interface LogSearchPlace {
  /** The line at the top. */
  top(): number;
  show(line: number): void;
}

/** Finds a text in a log, which the server looks through, and leads from line to line. */
export class LogSearch {
  readonly form = document.createElement('form');
  readonly #address: string;
  readonly #place: LogSearchPlace;
  readonly #input = document.createElement('input');
  readonly #count = document.createElement('output');
  #found: Found = { lines: [], more: false };
  #lines = new Set<number>();
  #at = 0;
  #asked = '';
  #searching = new AbortController();

  constructor(address: string, place: LogSearchPlace) {
    this.#address = address;
    this.#place = place;
    this.#input.type = 'search';
    this.#input.placeholder = 'Search';
    this.#input.setAttribute('aria-label', 'Search the log');
    this.form.role = 'search';
    this.form.append(
      this.#input,
      this.#button('Next', 'submit', () => {}),
      this.#button('Previous', 'button', () => this.#step(-1)),
      this.#count,
    );
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && event.shiftKey) {
        event.preventDefault();
        this.#step(-1);
      }
    });
  }

  get current(): number | undefined {
    return this.#found.lines[this.#at];
  }

  has(line: number): boolean {
    return this.#lines.has(line);
  }

  async #submit(): Promise<void> {
    const text = this.#input.value;
    if (text !== '' && text === this.#asked) {
      this.#step(1);
      return;
    }
    this.#asked = text;
    this.#searching.abort();
    this.#searching = new AbortController();
    this.#count.textContent = text === '' ? '' : 'Searching…';
    try {
      this.#take(text === '' ? { lines: [], more: false } : await this.#ask(text));
    } catch (error) {
      if ((error as Error).name !== 'AbortError') {
        this.#asked = '';
        this.#count.textContent = 'The search has failed';
      }
    }
  }

  async #ask(text: string): Promise<Found> {
    const { signal } = this.#searching;
    const answer = await fetch(`${this.#address}/search?${new URLSearchParams({ text })}`, { signal });
    return (await answer.json()) as Found;
  }

  #take(found: Found): void {
    this.#found = found;
    this.#lines = new Set(found.lines);
    const after = found.lines.findIndex((line) => line >= this.#place.top());
    this.#at = Math.max(0, after);
    this.#tell();
  }

  #step(by: number): void {
    const { length } = this.#found.lines;
    this.#at = length === 0 ? 0 : (this.#at + by + length) % length;
    this.#tell();
  }

  #tell(): void {
    const { lines, more } = this.#found;
    const of = more ? `the first ${lines.length}` : String(lines.length);
    this.#count.textContent =
      this.#asked === '' ? '' : lines.length === 0 ? 'Not found' : `${this.#at + 1} of ${of} lines`;
    if (this.current !== undefined) {
      this.#place.show(this.current);
    }
  }

  #button(text: string, type: 'submit' | 'button', onClick: () => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = type;
    button.textContent = text;
    button.addEventListener('click', onClick);
    return button;
  }
}
