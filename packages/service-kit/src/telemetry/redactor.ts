/** Removes secrets from text on its way out: those it has learnt, and those that give themselves away. */
export class Redactor {
  readonly #known = new Set<string>();

  /** Values shorter than this are not learnt: they would blot out ordinary words. */
  static readonly shortestSecret = 6;

  /** From now on this value appears nowhere; both as it is and as JSON escapes it. */
  learn(secret: string | undefined): void {
    if (secret === undefined || secret.length < Redactor.shortestSecret) return;
    this.#known.add(secret);
    this.#known.add(JSON.stringify(secret).slice(1, -1));
  }

  redact(text: string): string {
    let result = text;
    for (const secret of this.#known) result = result.replaceAll(secret, '[redacted]');
    return (
      result
        // The query of a URL may be a bewit or a signed storage URL.
        .replace(/(https?:\/\/[^\s"'\\?#<>]*)[?#][^\s"'\\<>]*/g, '$1?[redacted]')
        .replace(/\bbewit=[^\s"'\\&]+/g, 'bewit=[redacted]')
        // Quotation marks may be escaped by JSON.
        .replace(/\bHawk\s+\w+=\\?"[^"\\]*\\?"(,\s*\w+=\\?"[^"\\]*\\?")*/g, 'Hawk [redacted]')
        .replace(/\b(Bearer|Basic)\s+[^\s"'\\,]+/g, '$1 [redacted]')
    );
  }
}

const secretKeys = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'credentials',
  'accesstoken',
  'certificate',
  'bewit',
  'token',
  'password',
  'secret',
  'apikey',
]);

/** A copy in which every value under a secret's name is replaced, at any depth up to 6. */
export function redactFields(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error || depth > 6) return value;
  if (Array.isArray(value)) return value.map((item) => redactFields(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      secretKeys.has(key.toLowerCase().replaceAll(/[-_]/g, ''))
        ? '[redacted]'
        : redactFields(inner, depth + 1),
    ]),
  );
}
