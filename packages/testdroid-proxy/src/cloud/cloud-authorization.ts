import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { askCloud } from './ask-cloud.ts';
import { CloudError } from './cloud-error.ts';

/** Who the cloud takes this proxy for: an API key, or the name and password of an account. */
export type CloudAccount = { apiKey: string } | { username: string; password: string };

/** Gives the `Authorization` header of a request. */
export interface CloudAuthorization {
  header(signal: AbortSignal): Promise<string>;
  /** The cloud did not accept that header; returns whether another one is worth a try. */
  refused(header: string): boolean;
}

const Tokens = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().optional(),
  expires_in: z.number(),
});
type Tokens = z.infer<typeof Tokens>;

/** The client that the original proxy was. */
const clientId = 'testdroid-cloud-api';

/** A token is renewed when it is good for less than this, in milliseconds. */
const reserveMs = 60_000;

export function cloudAuthorization(
  account: CloudAccount,
  options: { dispatcher: Dispatcher; cloudUrl: string; learnSecret(secret: string | undefined): void },
): CloudAuthorization {
  if ('apiKey' in account) {
    const header = `Basic ${Buffer.from(`${account.apiKey}:`).toString('base64')}`;
    options.learnSecret(header.slice('Basic '.length));
    return { header: async () => header, refused: () => false };
  }
  return new TokenAuthorization(account, options);
}

/** OAuth tokens for name and password, renewed by their refresh token; any number of requests share one renewal. */
class TokenAuthorization implements CloudAuthorization {
  readonly #account: { username: string; password: string };
  readonly #options: Parameters<typeof cloudAuthorization>[1];
  #tokens: { header: string; refresh: string | undefined; renewAt: number } | undefined;
  #renewal: Promise<string> | undefined;

  constructor(
    account: { username: string; password: string },
    options: Parameters<typeof cloudAuthorization>[1],
  ) {
    this.#account = account;
    this.#options = options;
  }

  async header(signal: AbortSignal): Promise<string> {
    if (this.#tokens && Date.now() < this.#tokens.renewAt) return this.#tokens.header;
    this.#renewal ??= this.#renew(signal).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  refused(header: string): boolean {
    if (this.#tokens?.header === header) this.#tokens.renewAt = 0;
    return true;
  }

  async #renew(signal: AbortSignal): Promise<string> {
    const refresh = this.#tokens?.refresh;
    const tokens = await (refresh === undefined ? this.#logIn(signal) : this.#refresh(refresh, signal));
    this.#options.learnSecret(tokens.access_token);
    this.#options.learnSecret(tokens.refresh_token);
    const lifeMs = tokens.expires_in * 1000;
    this.#tokens = {
      header: `Bearer ${tokens.access_token}`,
      refresh: tokens.refresh_token,
      // A token with a short life is used for half of it.
      renewAt: Date.now() + Math.max(lifeMs - reserveMs, lifeMs / 2),
    };
    return this.#tokens.header;
  }

  /** A refresh token can be used up or too old; the password always works. */
  async #refresh(refreshToken: string, signal: AbortSignal): Promise<Tokens> {
    try {
      return await this.#ask({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal);
    } catch (error) {
      if (error instanceof CloudError && !error.mayPass) return this.#logIn(signal);
      throw error;
    }
  }

  #logIn(signal: AbortSignal): Promise<Tokens> {
    return this.#ask({ grant_type: 'password', ...this.#account }, signal);
  }

  async #ask(form: Record<string, string>, signal: AbortSignal): Promise<Tokens> {
    const { dispatcher, cloudUrl } = this.#options;
    return askCloud(dispatcher, {
      url: `${cloudUrl}oauth/token`,
      method: 'POST',
      form: { client_id: clientId, ...form },
      answer: Tokens,
      signal,
    });
  }
}
