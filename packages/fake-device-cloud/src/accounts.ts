import { randomBytes } from 'node:crypto';
import { CloudError } from './cloud-error.ts';

export interface Account {
  apiKey: string;
  username: string;
  password: string;
}

const clientId = 'testdroid-cloud-api';

/** Who may ask: the holder of the API key, or of a token that was issued for name and password. */
export class Accounts {
  readonly account: Account;
  /** Seconds for which an access token is good. */
  tokenLife: number;
  /** How often tokens were issued, by kind of grant. */
  readonly granted = { password: 0, refresh_token: 0 };
  readonly #accessTokens = new Map<string, number>();
  readonly #refreshTokens = new Set<string>();

  constructor(account: Account, tokenLife: number) {
    this.account = account;
    this.tokenLife = tokenLife;
  }

  /** `POST /oauth/token`. A refresh token is good for one time. */
  grant(form: Record<string, unknown>) {
    if (form.client_id !== clientId) throw new CloudError(401, 'Bad client credentials');
    const kind = form.grant_type;
    if (kind === 'password') {
      if (form.username !== this.account.username || form.password !== this.account.password)
        throw new CloudError(400, 'Bad credentials');
    } else if (kind === 'refresh_token') {
      const token = String(form.refresh_token);
      if (!this.#refreshTokens.delete(token)) throw new CloudError(400, `Invalid refresh token: ${token}`);
    } else {
      throw new CloudError(400, `Unsupported grant type: ${kind}`);
    }
    this.granted[kind] += 1;
    const access = randomBytes(20).toString('hex');
    const refresh = randomBytes(20).toString('hex');
    this.#accessTokens.set(access, Date.now() + this.tokenLife * 1000);
    this.#refreshTokens.add(refresh);
    return {
      ...{ access_token: access, refresh_token: refresh, token_type: 'bearer' },
      ...{ expires_in: this.tokenLife, scope: 'read write' },
    };
  }

  /** Throws for everybody who may not ask. */
  check(authorization: string | undefined): void {
    const [scheme = '', value = ''] = (authorization ?? '').split(' ');
    const isKnown =
      scheme === 'Bearer'
        ? (this.#accessTokens.get(value) ?? 0) > Date.now()
        : scheme === 'Basic' && Buffer.from(value, 'base64').toString() === `${this.account.apiKey}:`;
    // The real one quotes what it was given, which is what a client must not pass on.
    if (!isKnown) throw new CloudError(401, `Full authentication is required, got ${authorization}`);
  }

  /** All access tokens end now; with `refresh` the refresh tokens as well. */
  expire(refresh = false): void {
    this.#accessTokens.clear();
    if (refresh) this.#refreshTokens.clear();
  }
}
