/** A value as a message names it: what kind of thing it is, and enough of it to be recognised. */
export function found(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `the text ${quoted(value)}`;
    case 'number':
    case 'bigint':
      return `the number ${value}`;
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'nothing' : Array.isArray(value) ? 'a list' : 'a mapping';
    default:
      return 'nothing';
  }
}

/** In single quotes, on one line, shortened: it also stands inside JSON texts. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return `'${line.length > 60 ? `${line.slice(0, 60)}…` : line}'`;
}

/** The value at `keys` of a parsed document. */
export function valueAt(document: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    document,
  );
}
