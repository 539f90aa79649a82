/** Those who are told when something that people are shown is other than it was. */
export class ChangeListeners {
  readonly #listeners = new Set<() => void>();

  changed(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }

  /** Calls `listener` until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
