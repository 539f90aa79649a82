import { createHash, timingSafeEqual } from 'node:crypto';

/** What a path asks for. */
export type PathMeaning =
  | { kind: 'v1' | 'v2' | 'page-socket' }
  /** A file of the page; empty for the page itself. */
  | { kind: 'page'; file: string }
  /** The page without the slash at its end, against which its files could not be found. */
  | { kind: 'page-without-slash' }
  /** In the form of version 2's path, but with another secret. */
  | { kind: 'denied' }
  | { kind: 'unknown' };

/**
 * Reads a request's path, in which the secret stands: `/<secret>/shell.sock`, `/shell/<secret>`,
 * `/<secret>/session` and `/<secret>/<file>`. Exactly these: a client must not find out by trying what a
 * server would have corrected.
 */
export function secretPaths(secret: string): (path: string) => PathMeaning {
  const expected = digest(secret);
  const isSecret = (text: string) => timingSafeEqual(digest(text), expected);

  return (path) => {
    const [root, first = '', second, ...rest] = path.split('/');
    if (root !== '' || rest.length > 0) {
      return { kind: 'unknown' };
    }
    if (first === 'shell' && second !== undefined) {
      return { kind: isSecret(second) ? 'v2' : 'denied' };
    }
    if (!isSecret(first)) {
      return { kind: 'unknown' };
    }
    switch (second) {
      case undefined:
        return { kind: 'page-without-slash' };
      case 'shell.sock':
        return { kind: 'v1' };
      case 'session':
        return { kind: 'page-socket' };
      default:
        return { kind: 'page', file: second };
    }
  };
}

/** Of one length for texts of any length, as the comparison in constant time needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
