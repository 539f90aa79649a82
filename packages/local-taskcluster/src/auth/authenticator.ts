import { server as hawk, utils } from 'hawk';
import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { z } from 'zod';
import { scope } from '../fields.ts';
import { verifyCertificate } from './certificate.ts';
import type { Client } from './clients.ts';
import type { Roles } from './roles.ts';

export interface Identity {
  /** Undefined for a caller without credentials. */
  clientId: string | undefined;
  /** Expanded, with those of the anonymous role. */
  scopes: string[];
  expires: Date;
  /** The payload hash the caller signed, if it did. */
  hash?: string | undefined;
}

/** The parts of a request that its signature covers. */
export interface SignedRequest {
  method: string;
  /** Path and query exactly as sent. */
  resource: string;
  host: string;
  port: number;
  authorization?: string | undefined;
}

const SKEW_SECONDS = 15 * 60;
const ANONYMOUS_LIFE_MS = 15 * 60_000;
const BEWIT = /^\/.*[?&]bewit=([^&$]*)/;

const extSchema = z.looseObject({
  certificate: z.looseObject({ issuer: z.string().optional() }).optional(),
  authorizedScopes: z.array(scope).optional(),
});

/** What must be known of a client; undefined for an unknown one. */
export type ClientLookup = (
  clientId: string,
) => Pick<Client, 'accessToken' | 'scopes' | 'expires' | 'disabled'> | undefined;

/** Tells who sent a request, from its Hawk header or its bewit. */
export class Authenticator {
  readonly #lookup: ClientLookup;
  readonly #roles: Roles;

  constructor(lookup: ClientLookup, roles: Roles) {
    this.#lookup = lookup;
    this.#roles = roles;
  }

  /** Throws an Error whose message may be shown to the caller. */
  async authenticate(request: SignedRequest): Promise<Identity> {
    const { method, resource: url, host, port, authorization } = request;
    const bewit = authorization ? undefined : BEWIT.exec(url);
    if (!authorization && !bewit) return this.anonymous();
    let identity: Identity | undefined;
    const credentials = (clientId: string) => {
      const ext = bewit ? bewitExt(bewit[1] ?? '') : headerExt(authorization ?? '');
      const found = this.#credentials(clientId, ext);
      identity = { clientId, scopes: found.scopes, expires: found.expires };
      return { key: found.accessToken, algorithm: 'sha256' as const, user: clientId };
    };
    const signed = { method: method.toUpperCase(), url, host, port, authorization };
    try {
      if (bewit) {
        await hawk.authenticateBewit(signed as never, credentials);
      } else {
        const { artifacts } = await hawk.authenticate(signed as never, credentials, {
          timestampSkewSec: SKEW_SECONDS,
        });
        if (identity && artifacts.hash) identity.hash = artifacts.hash;
      }
    } catch (error) {
      throw new Error(hawkMessage(error));
    }
    if (!identity) throw new Error('Unknown credentials');
    return identity;
  }

  anonymous(): Identity {
    return {
      clientId: undefined,
      scopes: this.#roles.expand(['assume:anonymous']),
      expires: new Date(Date.now() + ANONYMOUS_LIFE_MS),
    };
  }

  /** The key and the scopes behind a clientId and the `ext` that came with it. */
  #credentials(
    clientId: string,
    encodedExt: string | undefined,
  ): { accessToken: string; scopes: string[]; expires: Date } {
    const ext = parseExt(encodedExt);
    const issuerId = ext.certificate?.issuer ?? clientId;
    if (ext.certificate?.issuer === clientId) {
      throw new Error('ext.certificate.issuer must differ from the supplied clientId');
    }
    const client = this.#usableClient(issuerId);
    const issuerScopes = this.#roles.expand(client.scopes);
    let granted = {
      accessToken: client.accessToken,
      scopes: issuerScopes,
      expires: new Date(client.expires),
    };
    if (ext.certificate) {
      const issuer = { clientId: issuerId, accessToken: client.accessToken, scopes: issuerScopes };
      granted = verifyCertificate(ext.certificate, clientId, issuer);
    }
    const scopes = ext.authorizedScopes
      ? this.#restrict(granted.scopes, ext.authorizedScopes)
      : granted.scopes;
    return { ...granted, scopes: this.#roles.expand([...scopes, 'assume:anonymous']) };
  }

  #usableClient(clientId: string) {
    const client = this.#lookup(clientId);
    if (!client) throw new Error(`Client with clientId '${clientId}' not found`);
    if (client.disabled) throw new Error(`Client with clientId '${clientId}' is disabled`);
    if (new Date(client.expires) < new Date()) {
      throw new Error(`Client with clientId '${clientId}' has expired`);
    }
    return client;
  }

  #restrict(scopes: string[], authorizedScopes: string[]): string[] {
    const expanded = this.#roles.expand([...scopes, 'assume:anonymous']);
    if (satisfiesExpression(expanded, { AllOf: authorizedScopes })) return authorizedScopes;
    throw new Error(
      [
        'Supplied credentials do not satisfy authorizedScopes; credentials have scopes:',
        ...['', '```', ...expanded, '```', ''],
        'authorizedScopes are:',
        ...['', '```', ...authorizedScopes, '```'],
      ].join('\n'),
    );
  }
}

function headerExt(authorization: string): string | undefined {
  return utils.parseAuthorizationHeader(authorization).ext;
}

/** A bewit is base64url of `id\expiry\mac\ext`. */
function bewitExt(bewit: string): string | undefined {
  return Buffer.from(bewit, 'base64url').toString('latin1').split('\\')[3] || undefined;
}

function parseExt(encoded: string | undefined): z.infer<typeof extSchema> {
  if (encoded === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(encoded, 'base64').toString());
  } catch {
    throw new Error('Failed to parse ext');
  }
  const parsed = extSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${['ext', ...(issue?.path ?? [])].join('.')} is not valid: ${issue?.message}`);
}

/** Hawk wraps what it throws; for its own refusals the sentence is inside of the wrapping. */
function hawkMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const output =
    (error as { isServer?: boolean; output?: { payload: { error: string; message?: string } } }) ?? {};
  if (!output.output || output.isServer) return error.message;
  const { error: name, message } = output.output.payload;
  return message ? `${name}: ${message}` : name;
}
