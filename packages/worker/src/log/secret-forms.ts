/** Shorter values are not masked: they would blot out ordinary words. */
export const shortestSecret = 6;

/**
 * The forms in which programs print a secret: as it is, as a part of a URL or of a JSON text, in base64
 * wherever it begins within what was encoded, and, if it has lines, with other line ends or with none.
 */
export function secretForms(secret: string): string[] {
  const oneLine = ['\r\n', '', ' '].map((end) => secret.replace(/\r?\n/g, end));
  const url = encodeURIComponent(secret);
  const forms = new Set([
    secret,
    ...oneLine,
    url,
    url.replace(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase()),
    // What forms make of a space.
    url.replaceAll('%20', '+'),
    JSON.stringify(secret).slice(1, -1),
    ...[0, 1, 2].flatMap((offset) => base64At(secret, offset)),
  ]);
  return [...forms].filter((form) => form.length >= shortestSecret);
}

/** Those digits of the encoding that depend on nothing but the secret, `offset` bytes after a multiple of three. */
function base64At(secret: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor((bytes.length * 8) / 6);
  return (['base64', 'base64url'] as const).map((alphabet) => bytes.toString(alphabet).slice(first, last));
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

/** Of a certificate of temporary credentials only the signature is worth anything. */
function signatureOf(certificate: string): string[] {
  try {
    const { signature } = JSON.parse(certificate) as { signature?: unknown };
    return typeof signature === 'string' ? [signature] : [];
  } catch {
    return [];
  }
}
