import { median } from './averages.ts';

/** What was measured, of whom, in which round. */
export class Figures {
  readonly #all = new Map<string, number[]>();

  add(who: string, what: string, value: number): void {
    this.#all.set(`${who}\n${what}`, [...this.rounds(who, what), value]);
  }

  /** In the order of the rounds; empty when it was not measured. */
  rounds(who: string, what: string): readonly number[] {
    return this.#all.get(`${who}\n${what}`) ?? [];
  }

  median(who: string, what: string): number {
    return median(this.rounds(who, what));
  }

  highest(who: string, what: string): number {
    return Math.max(...this.rounds(who, what));
  }

  sum(who: string, what: string): number {
    return this.rounds(who, what).reduce((sum, value) => sum + value, 0);
  }

  /**
   * Median of the rounds' ratios: the two were measured within seconds of each other, and a machine is at times twice as
   * fast as at others.
   */
  ratio(who: string, what: string, to: string): number {
    const others = this.rounds(to, what);
    return median(this.rounds(who, what).map((value, round) => value / (others[round] ?? Number.NaN)));
  }
}
