import { createHmac, timingSafeEqual } from 'node:crypto';
import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { z } from 'zod';
import { scope } from '../fields.ts';
import { newSlugid } from '../slugid.ts';

const MINUTE_MS = 60_000;
const CLOCK_DRIFT_MS = 5 * MINUTE_MS;
const LONGEST_LIFE_MS = 31 * 24 * 60 * MINUTE_MS;

const certificateSchema = z.looseObject({
  version: z.literal(1),
  seed: z.string().length(44),
  start: z.number(),
  expiry: z.number(),
  scopes: z.array(scope),
  signature: z.string(),
  issuer: z.string().optional(),
});

type Certificate = z.infer<typeof certificateSchema>;

/** What the signature covers, beside the name. */
type Signed = Pick<Certificate, 'seed' | 'start' | 'expiry' | 'scopes' | 'issuer'>;

/** Someone who may sign certificates: a client with its access token and expanded scopes. */
export interface Issuer {
  clientId: string;
  accessToken: string;
  scopes: string[];
}

export interface TemporaryCredentials {
  clientId: string;
  accessToken: string;
  /** The certificate as JSON text. */
  certificate: string;
}

export interface Issue {
  clientId: string;
  scopes: string[];
  expiry: Date;
}

/** Signs named temporary credentials, valid from now on. */
export function issueCredentials(
  issuer: Pick<Issuer, 'clientId' | 'accessToken'>,
  { clientId, scopes, expiry }: Issue,
): TemporaryCredentials {
  const unsigned = {
    version: 1 as const,
    scopes,
    start: Date.now(),
    expiry: expiry.getTime(),
    seed: newSlugid() + newSlugid(),
    issuer: issuer.clientId,
  };
  const signature = sign(unsigned, clientId, issuer.accessToken);
  return {
    clientId,
    accessToken: temporaryKey(unsigned.seed, issuer.accessToken),
    certificate: JSON.stringify({ ...unsigned, signature }),
  };
}

/** Checks everything about a certificate but the request's own signature. Throws an Error that says what is wrong. */
export function verifyCertificate(
  input: unknown,
  credentialName: string,
  issuer: Issuer,
): { accessToken: string; scopes: string[]; expires: Date } {
  const certificate = parseCertificate(input);
  const now = Date.now();
  if (certificate.start > now + CLOCK_DRIFT_MS) throw new Error('ext.certificate.start > now');
  if (certificate.expiry < now - CLOCK_DRIFT_MS) throw new Error('ext.certificate.expiry < now');
  if (certificate.expiry - certificate.start > LONGEST_LIFE_MS) {
    throw new Error('ext.certificate cannot last longer than 31 days!');
  }
  verifyName(certificate, credentialName, issuer);
  if (!satisfiesExpression(issuer.scopes, { AllOf: certificate.scopes })) {
    throw new Error(`ext.certificate issuer \`${issuer.clientId}\` doesn't satisfy all certificate scopes`);
  }
  const expected = Buffer.from(sign(certificate, credentialName, issuer.accessToken));
  const given = Buffer.from(certificate.signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Error('ext.certificate.signature is not valid, or wrong clientId provided');
  }
  return {
    accessToken: temporaryKey(certificate.seed, issuer.accessToken),
    scopes: certificate.scopes,
    expires: new Date(certificate.expiry),
  };
}

function parseCertificate(input: unknown): Certificate {
  const parsed = certificateSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = ['ext.certificate', ...(issue?.path ?? [])].join('.');
  throw new Error(`${path} is not valid: ${issue?.message}`);
}

/** A name is free to choose for whoever may create a client of that name. */
function verifyName(certificate: Certificate, credentialName: string, issuer: Issuer): void {
  if (certificate.issuer === undefined) {
    if ('clientId' in certificate) {
      throw new Error('ext.certificate.clientId must only be used with ext.certificate.issuer');
    }
    return;
  }
  const createScope = `auth:create-client:${credentialName}`;
  if (!satisfiesExpression(issuer.scopes, createScope)) {
    throw new Error(
      `ext.certificate issuer \`${issuer.clientId}\` doesn't have \`${createScope}\` for supplied clientId.`,
    );
  }
}

function sign(certificate: Signed, clientId: string, issuerAccessToken: string): string {
  const lines = [
    'version:1',
    ...(certificate.issuer === undefined ? [] : [`clientId:${clientId}`, `issuer:${certificate.issuer}`]),
    `seed:${certificate.seed}`,
    `start:${certificate.start}`,
    `expiry:${certificate.expiry}`,
    'scopes:',
    ...certificate.scopes,
  ];
  return createHmac('sha256', issuerAccessToken).update(lines.join('\n')).digest('base64');
}

function temporaryKey(seed: string, issuerAccessToken: string): string {
  return createHmac('sha256', issuerAccessToken).update(seed).digest('base64url');
}
