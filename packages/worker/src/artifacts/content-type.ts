import { lookup } from 'mime-types';

/** Content type by the name's extension; `application/octet-stream` when it says nothing. */
export function contentTypeOf(name: string): string {
  return lookup(name) || 'application/octet-stream';
}

/** Whether compressing is worth it: not for names that end like a format that is compressed already. */
export function isCompressible(name: string, skipExtensions: readonly string[]): boolean {
  return !skipExtensions.some((extension) => name.endsWith(extension));
}
