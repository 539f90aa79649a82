import type { Problem } from '@docker-worker/run-page';

const most = 30;

/** What has gone wrong lately, the newest first. */
export class RecentProblems {
  readonly #problems: Problem[] = [];

  add(text: string): void {
    this.#problems.unshift({ time: new Date().toJSON(), text });
    this.#problems.length = Math.min(this.#problems.length, most);
  }

  list(): Problem[] {
    return [...this.#problems];
  }
}
