import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** One SQLite database that holds all state: in memory, or `state.sqlite` in the data directory. */
export class Database implements Disposable {
  readonly #connection: DatabaseSync;
  #depth = 0;
  #effects: (() => void)[] = [];

  /** Throws when the directory cannot be used, or another process uses it. */
  constructor(dataDir: string | undefined) {
    this.#connection = dataDir === undefined ? new DatabaseSync(':memory:') : openFile(dataDir);
    this.#connection.exec(
      'CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID',
    );
  }

  prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    return this.#connection.prepare(sql);
  }

  /** Runs `change` so that either all of its writes are kept or none. Nested calls join the outer one. */
  transaction<T>(change: () => T): T {
    if (this.#depth > 0) return change();
    this.#connection.exec('BEGIN');
    this.#depth += 1;
    try {
      const result = change();
      this.#connection.exec('COMMIT');
      this.#depth -= 1;
      this.#runEffects();
      return result;
    } catch (error) {
      if (this.#depth > 0) {
        this.#connection.exec('ROLLBACK');
        this.#depth -= 1;
        this.#effects = [];
      }
      throw error;
    }
  }

  /** Runs `effect` once the current transaction is kept, and never if it is not. */
  afterCommit(effect: () => void): void {
    this.#effects.push(effect);
    if (this.#depth === 0) this.#runEffects();
  }

  #runEffects(): void {
    const effects = this.#effects;
    this.#effects = [];
    for (const effect of effects) effect();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

function openFile(dataDir: string): DatabaseSync {
  // The database holds access tokens and secrets: nobody else on the machine may read it.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'state.sqlite');
  const connection = new DatabaseSync(file);
  try {
    chmodSync(file, 0o600);
    // Timers and queues are kept in memory, so that two processes must not work on the same state.
    connection.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL',
    );
    return connection;
  } catch (cause) {
    connection.close();
    throw new Error(`Data directory ${dataDir} cannot be used, maybe by another process: ${cause}`, {
      cause,
    });
  }
}
