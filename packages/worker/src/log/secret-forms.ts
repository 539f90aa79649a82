import { z } from 'zod';

/** Shorter values are not masked: they would blot out ordinary words. */
export const shortestSecret = 6;

/**
 * The forms in which programs print a secret: as it is, as a part of a URL or of a JSON text, in base64
 * wherever it begins within what was encoded, and, if it has lines, with other line ends or with none. Some are alike.
 */
export function* secretForms(secret: string): Generator<string> {
  yield secret;
  if (secret.includes('\n')) {
    for (const end of ['\r\n', '', ' ']) {
      yield* enough(secret.replace(/\r?\n/g, end));
    }
  }
  const url = encodeURIComponent(secret.toWellFormed());
  yield url;
  if (url !== secret) {
    yield url.replace(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase());
    // What forms make of a space.
    yield* enough(url.replaceAll('%20', '+'));
  }
  yield JSON.stringify(secret).slice(1, -1);
  for (const offset of [0, 1, 2]) {
    yield* base64At(secret, offset);
  }
}

/** Those digits of the encoding that depend on nothing but the secret, `offset` bytes after a multiple of three. */
function* base64At(secret: string, offset: number): Generator<string> {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor((bytes.length * 8) / 6);
  for (const alphabet of ['base64', 'base64url'] as const) {
    yield* enough(bytes.toString(alphabet).slice(first, last));
  }
}

function* enough(form: string): Generator<string> {
  if (form.length >= shortestSecret) {
    yield form;
  }
}

const secretKey = /(token|password|secret|apikey|privatekey)$/i;

/** The values in a configuration whose keys say that they are secrets, at any depth. */
export function secretValues(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner !== 'string') {
      return secretValues(inner);
    }
    return key === 'certificate' ? signatureOf(inner) : secretKey.test(key) ? [inner] : [];
  });
}

/** What was signed in time may still be under way. */
const graceMs = 30 * 60 * 1000;

/** From when on temporary credentials are worth nothing to anybody, in epoch milliseconds; never for anything else. */
export function worthlessAfter(value: unknown): number {
  const parsed = CertifiedCredentials.safeParse(value);
  return parsed.success ? parsed.data.certificate.expiry + graceMs : Number.POSITIVE_INFINITY;
}

const CertifiedCredentials = z.looseObject({
  certificate: z
    .string()
    .transform(parsedJson)
    .pipe(z.looseObject({ expiry: z.number() })),
});

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of a certificate of temporary credentials only the signature is worth anything. */
function signatureOf(certificate: string): string[] {
  const { signature } = (parsedJson(certificate) ?? {}) as { signature?: unknown };
  return typeof signature === 'string' ? [signature] : [];
}
