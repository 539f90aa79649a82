import { AsyncLocalStorage } from 'node:async_hooks';

/** Under which of its names the server is called by the request that is being answered. */
export class CalledAs {
  readonly #aliases: ReadonlySet<string>;
  readonly #rootUrl = new AsyncLocalStorage<string | undefined>();

  constructor(aliases: readonly string[]) {
    this.#aliases = new Set(aliases);
  }

  /** Undefined for a request that was made under no alias. */
  get rootUrl(): string | undefined {
    return this.#rootUrl.getStore();
  }

  /** @param host of the request's header */
  during(host: string | undefined, answer: () => void): void {
    const name = host?.replace(/:\d+$/, '') ?? '';
    this.#rootUrl.run(this.#aliases.has(name) ? `http://${host}` : undefined, answer);
  }
}
