import { Gauge, gatewayError, type Registry } from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import { IssuerError } from './issuer-error.ts';

/** What is known of one issuer of tokens. */
export interface IssuerStatus {
  /** Host, with a port that is not the usual one. */
  issuer: string;
  reachable: boolean;
  /** Why it is not, or why it gave no token. */
  problem?: string;
  /** When this was seen. */
  seen: string;
}

/** Time that one look may take, in milliseconds. */
const lookMs = 3_000;

/** Something that was seen in the last minute needs no other look. */
const freshMs = 60_000;

/**
 * Whether the issuers of tokens can be reached, as their last answers show. When someone wants to know and
 * nothing was seen lately, they are looked at, without a token: any answer will do. Never by itself, so
 * an issuer that no request needs is left alone.
 */
export class IssuerHealth {
  readonly #dispatcher: Dispatcher;
  readonly #issuers: readonly string[];
  readonly #known = new Map<string, IssuerStatus>();
  readonly #reachable: Gauge<'issuer'>;

  /** @param issuers URLs */
  constructor(
    issuers: readonly string[],
    { dispatcher, metrics }: { dispatcher: Dispatcher; metrics: Registry },
  ) {
    this.#issuers = [...new Set(issuers)];
    this.#dispatcher = dispatcher;
    this.#reachable = new Gauge({
      name: 'relengapi_issuer_reachable',
      help: '1 when the last attempt has reached the issuer of tokens, else 0; absent before the first.',
      labelNames: ['issuer'],
      registers: [metrics],
    });
  }

  /** Asks for a token and remembers how that went. */
  async watch<Token>(url: string, ask: () => Promise<Token>): Promise<Token> {
    try {
      const token = await ask();
      this.#saw(url);
      return token;
    } catch (error) {
      const isReached = error instanceof IssuerError && error.statusCode === 502;
      this.#saw(url, { reachable: isReached, problem: (error as Error).message });
      throw error;
    }
  }

  async status(): Promise<IssuerStatus[]> {
    const now = Date.now();
    await Promise.all(
      this.#issuers.map(async (url) => {
        const known = this.#known.get(url);
        if (!known || now - Date.parse(known.seen) > freshMs) await this.#look(url);
      }),
    );
    return [...this.#known.values()];
  }

  async #look(url: string): Promise<void> {
    const { origin, host, pathname } = new URL(url);
    try {
      const signal = AbortSignal.timeout(lookMs);
      const { body } = await this.#dispatcher.request({ origin, path: pathname, method: 'HEAD', signal });
      await body.dump();
      this.#saw(url);
    } catch (error) {
      const problem =
        (error as Error).name === 'TimeoutError'
          ? `${host} does not answer`
          : gatewayError(error, { method: 'HEAD', host }).body.message;
      this.#saw(url, { reachable: false, problem });
    }
  }

  #saw(url: string, { reachable, problem }: { reachable: boolean; problem?: string } = { reachable: true }) {
    const issuer = new URL(url).host;
    const seen = new Date().toISOString();
    this.#known.set(url, { issuer, reachable, ...(problem ? { problem } : {}), seen });
    this.#reachable.set({ issuer }, reachable ? 1 : 0);
  }
}
