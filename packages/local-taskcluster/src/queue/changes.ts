import type { Database } from '../store/database.ts';

/** Tells whoever looks that something of the tasks, their runs or their artifacts is other than it was. */
export class Changes {
  readonly #database: Database;
  readonly #listeners = new Set<() => void>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Called within the transaction that changes something, or after it. */
  tell(): void {
    if (this.#listeners.size === 0) return;
    this.#database.afterCommit(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
