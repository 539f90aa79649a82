/** A token as an issuer gave it. */
export interface Token {
  value: string;
  /** Milliseconds since the epoch; from then on it is refused. */
  expires: number;
}

export interface TokenCacheOptions {
  issue(): Promise<Token>;
  /** Milliseconds before its expiry at which a token is renewed while it is still handed out. */
  renewEarlyMs: number;
  /** Called when an early renewal fails; the old token is still good. */
  onRenewalFailed(error: unknown): void;
}

/** Milliseconds before its expiry at which a token counts as expired: requests take time. */
const safetyMs = 10_000;

/** One token for all requests: it is issued when it is first needed, by one call however many wait for it. */
export class TokenCache {
  readonly #options: TokenCacheOptions;
  #token: Token | undefined;
  #issuing: Promise<Token> | undefined;

  constructor(options: TokenCacheOptions) {
    this.#options = options;
  }

  /** A token that is good for ten more seconds at least, unless it never was. Rejects as `issue` does. */
  async get(): Promise<string> {
    const { renewEarlyMs, onRenewalFailed } = this.#options;
    const left = (this.#token?.expires ?? 0) - Date.now();
    if (this.#token === undefined || left <= Math.min(safetyMs, renewEarlyMs))
      return (await this.#issue()).value;
    if (left <= renewEarlyMs) this.#issue().catch(onRenewalFailed);
    return this.#token.value;
  }

  /** The upstream has refused this token: the next request gets another. */
  forget(value: string): void {
    if (this.#token?.value === value) this.#token = undefined;
  }

  #issue(): Promise<Token> {
    this.#issuing ??= this.#options
      .issue()
      .then((token) => {
        this.#token = token;
        return token;
      })
      .finally(() => {
        this.#issuing = undefined;
      });
    return this.#issuing;
  }
}
