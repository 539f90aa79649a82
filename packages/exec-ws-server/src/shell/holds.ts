/** Stops a source while anyone has a reason to; it goes on when the last reason is gone. */
export class Holds {
  readonly #source: { pause(): unknown; resume(): unknown };
  readonly #reasons = new Set<string>();

  constructor(source: { pause(): unknown; resume(): unknown }, ...reasons: string[]) {
    this.#source = source;
    for (const reason of reasons) {
      this.hold(reason);
    }
  }

  get isHeld(): boolean {
    return this.#reasons.size > 0;
  }

  hold(reason: string): void {
    this.#reasons.add(reason);
    this.#source.pause();
  }

  release(reason: string): void {
    if (this.#reasons.delete(reason) && !this.isHeld) {
      this.#source.resume();
    }
  }

  releaseAll(): void {
    this.#reasons.clear();
    this.#source.resume();
  }
}
