/**
 * The path and query of a request as its client sent them, for use in a request to an upstream. Clients
 * that take us for their HTTP proxy send absolute URLs; a fragment is not for servers. The HTTP parser
 * gives one character for each byte: those that no URL may hold are percent-encoded, all others stay.
 */
export function rawPath(requestTarget: string): string {
  const path = requestTarget.startsWith('/')
    ? requestTarget
    : requestTarget.replace(/^https?:\/\/[^/?#]*/i, '');
  const fragment = path.indexOf('#');
  const sent = fragment === -1 ? path : path.slice(0, fragment);
  return (sent.startsWith('/') ? sent : `/${sent}`).replace(
    /[^\u0021-\u007e]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
