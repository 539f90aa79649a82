/** The one server that everything goes to, in pieces that are used as they are. */
export interface HttpTarget {
  /** Scheme and authority. */
  origin: string;
  /** Authority: the value of `Host`. */
  host: string;
  /** Base path without a slash at its end; a URL that ends in its host, or in a slash behind it, has none. */
  base: string;
}

export function httpTarget(url: string): HttpTarget {
  const [, scheme = '', host = '', path = ''] = /^(https?):\/\/([^/]+)(.*)$/i.exec(url) ?? [];
  return { origin: `${scheme.toLowerCase()}://${host}`, host, base: path.replace(/\/+$/, '') };
}
