/** A URL in pieces, none of them rewritten; the WHATWG parser would normalize the path. */
export interface HttpUrl {
  /** Scheme and authority as given. */
  origin: string;
  /** Host in lower case, without port; IPv6 in brackets. */
  host: string;
  /** The given port, or the scheme's. */
  port: number;
  /** Path and query, beginning with `/`. Bytes outside printable ASCII are percent-encoded. */
  path: string;
}

const form = /^(https?):\/\/((\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?)([/?][^#]*)?(?:#.*)?$/i;

/** Takes an absolute http or https URL apart; undefined when the text is none, or names a user. */
export function parseHttpUrl(text: string): HttpUrl | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [, scheme = '', authority = '', host = '', port, rest = ''] = match;
  const path = asciiOnly(rest.startsWith('/') ? rest : `/${rest}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a header
  if (/[\u0000-\u0020\u007f]/.test(path)) return undefined;
  return {
    origin: `${scheme}://${authority}`,
    host: host.toLowerCase(),
    port: port === undefined ? (scheme.toLowerCase() === 'https' ? 443 : 80) : Number(port),
    path,
  };
}

/** Characters beyond ASCII as the percent-encoded bytes of their UTF-8 form; all others untouched. */
function asciiOnly(text: string): string {
  return text.replace(/[\u0080-\uffff]+/g, (run) => encodeURIComponent(run.toWellFormed()));
}
