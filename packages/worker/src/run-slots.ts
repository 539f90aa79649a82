/** Of one run. */
export interface RunPlace {
  /** The slot is free for another run; what was made for this one is still there. */
  vacate(): void;
  /** Nothing of the run is left. */
  leave(): void;
}

/** Which runs take the slots of a worker, and of which there is something left to remove. */
export class RunSlots {
  /** Payloads of the runs that take one. */
  readonly #taken = new Map<RunPlace, unknown>();
  readonly #undisposed = new Set<RunPlace>();
  #changed = Promise.withResolvers<void>();

  /** How many of so many slots can be filled, when there may be something left of so many runs. */
  free(slots: number, runs: number): number {
    return Math.max(0, Math.min(slots - this.#taken.size, runs - this.#undisposed.size));
  }

  /** Nobody may have examined them yet. */
  get payloads(): unknown[] {
    return [...this.#taken.values()];
  }

  /** Whether there is nothing left of any run. */
  get isEmpty(): boolean {
    return this.#undisposed.size === 0;
  }

  /** Settles when a run vacates its slot or has left, whichever is next. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  take(payload: unknown): RunPlace {
    const place: RunPlace = {
      vacate: () => this.#change(this.#taken.delete(place)),
      leave: () => {
        place.vacate();
        this.#change(this.#undisposed.delete(place));
      },
    };
    this.#taken.set(place, payload);
    this.#undisposed.add(place);
    return place;
  }

  #change(isChange: boolean): void {
    if (isChange) {
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}
