export const lineHeight = 20;
/** Browsers take no element that is much higher. */
const mostPixels = 8_000_000;

/**
 * Which line is at the top of a list that may be higher than a browser's elements can be. Up to that height a pixel is a
 * pixel. Beyond it small movements are those of lines all the same, and large ones, as of the scroll bar, are of the whole.
 */
export class ScrollSpace {
  #lines = 0;
  #visible = 1;
  #top = 0;
  #at = 0;

  /** @param visible lines that fit, which may be a fraction */
  resize(lines: number, visible: number): void {
    this.#lines = lines;
    this.#visible = visible;
    this.#top = Math.min(this.#top, this.last);
    this.#at = this.#position;
  }

  get height(): number {
    return Math.min(mostPixels, this.#lines * lineHeight);
  }

  /** The line at the top, which may be a fraction. */
  get top(): number {
    return this.#top;
  }

  /** The line at the top when the end of the list is seen. */
  get last(): number {
    return Math.max(0, this.#lines - this.#visible);
  }

  /** Takes where a person has scrolled to; gives where the list is to be scrolled to. */
  scrolled(at: number): number {
    const moved = at - this.#at;
    const isSmall = Math.abs(moved) <= 2 * this.#visible * lineHeight;
    const range = this.height - this.#visible * lineHeight;
    const isAtEnd = at <= 0 || at >= range;
    if (this.#lines * lineHeight <= mostPixels) {
      this.#top = at / lineHeight;
    } else if (isSmall && !isAtEnd) {
      this.#top += moved / lineHeight;
    } else {
      this.#top = (at / range) * this.last;
    }
    this.#top = Math.min(Math.max(0, this.#top), this.last);
    // Within a range of its own it stays where the person has it, so that a scroll that goes on is not disturbed.
    this.#at = at;
    return at;
  }

  /** Gives where the list is to be scrolled to so that the line is at the top. */
  goTo(line: number): number {
    this.#top = Math.min(Math.max(0, line), this.last);
    this.#at = this.#position;
    return this.#at;
  }

  get #position(): number {
    const range = Math.max(0, this.height - this.#visible * lineHeight);
    return this.last === 0 ? 0 : Math.round((this.#top / this.last) * range);
  }
}
