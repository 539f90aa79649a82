import type { Database } from './database.ts';

export interface ListOptions {
  /** Only keys that start with this; default all. */
  prefix?: string;
  /** Only keys after this one. */
  after?: string;
  /** At most this many; default no limit. */
  limit?: number;
}

export interface Entry<T> {
  key: string;
  value: T;
}

/** JSON documents of one kind, ordered by key. What `get` returns is the caller's own copy. */
export class Collection<T> {
  readonly #kind: string;
  readonly #get;
  readonly #put;
  readonly #delete;
  readonly #list;

  constructor(database: Database, kind: string) {
    this.#kind = kind;
    this.#get = database.prepare('SELECT body FROM documents WHERE kind = ? AND key = ?');
    this.#put = database.prepare(
      'INSERT INTO documents (kind, key, body) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body',
    );
    this.#delete = database.prepare('DELETE FROM documents WHERE kind = ? AND key = ?');
    this.#list = database.prepare(
      'SELECT key, body FROM documents WHERE kind = ? AND key >= ? AND key > ? AND key < ? ORDER BY key LIMIT ?',
    );
  }

  get(key: string): T | undefined {
    const row = this.#get.get(this.#kind, key);
    return row && (JSON.parse(String(row.body)) as T);
  }

  put(key: string, value: T): void {
    this.#put.run(this.#kind, key, JSON.stringify(value));
  }

  delete(key: string): boolean {
    return this.#delete.run(this.#kind, key).changes > 0;
  }

  list({ prefix = '', after = '', limit = -1 }: ListOptions = {}): Entry<T>[] {
    // U+10FFFF sorts behind every character that a key may hold.
    const rows = this.#list.all(this.#kind, prefix, after, `${prefix}\u{10ffff}`, limit);
    return rows.map((row) => ({ key: String(row.key), value: JSON.parse(String(row.body)) as T }));
  }

  values(options?: ListOptions): T[] {
    return this.list(options).map((entry) => entry.value);
  }
}
