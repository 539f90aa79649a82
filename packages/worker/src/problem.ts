/** Something that is wrong with what a person wrote: where it stands, what is wrong and how to mend it. */
export interface Problem {
  /** Place in the document, as in `payload.artifacts["public/a.txt"].path`; empty for the document itself. */
  path: string;
  message: string;
  /** The same place as keys below the document, for who wants to find its line. */
  keys?: readonly PropertyKey[];
  /** The rule that is broken, as JSON-schema validators word it: log readers match on that text. */
  rule?: string;
}

export function problemLine({ path, message }: Problem): string {
  return path === '' ? message : `${path}: ${message}`;
}

/** `['artifacts', 'public/a.txt', 0]` below `root` as the path a person reads. */
export function problemPath(root: string, keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === 'number') {
      return `${path}[${key}]`;
    }
    const name = String(key);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return `${path}[${JSON.stringify(name)}]`;
    }
    return path === '' ? name : `${path}.${name}`;
  }, root);
}

/** The problem of a part of a document as one of the document. */
export function problemBelow(
  above: readonly PropertyKey[],
  { path, keys = [], ...problem }: Problem,
): Problem {
  const root = problemPath('', above);
  const joint = root === '' || path === '' || path.startsWith('[') ? '' : '.';
  return { ...problem, path: `${root}${joint}${path}`, keys: [...above, ...keys] };
}
