/** Headers that concern one connection only (RFC 9110, 7.6.1, and the names that old software uses). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

/**
 * Headers that say how a message is framed or where it goes. Software that turns headers into variables
 * reads `Content_Length` as `Content-Length`, so their look-alikes are dropped.
 */
const framing = new Set(['content-length', 'host', 'authorization']);

const none: ReadonlySet<string> = new Set();

/** The name as it is compared: lower case, and `_` as `-`. */
function normalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

/**
 * The headers that may cross a proxy: a flat list of names and values, in order, repetitions kept.
 * Left out are hop-by-hop headers, those named in `Connection`, and those in `dropped` (lower-case
 * names), each also in any other case or with `_` in place of `-`.
 *
 * `Content-Length` and `Host` stay even when `Connection` names them: losing them would change the message.
 */
export function endToEndHeaders(raw: readonly string[], dropped: ReadonlySet<string> = none): string[] {
  const named = namesInConnection(raw);
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const normal = normalName(name);
    if (hopByHop.has(normal) || dropped.has(normal) || named.has(normal)) continue;
    if (name.includes('_') && framing.has(normal)) continue;
    kept.push(name, raw[index + 1] as string);
  }
  return kept;
}

function namesInConnection(raw: readonly string[]): ReadonlySet<string> {
  let named: Set<string> | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    if (name.length !== 10 || normalName(name) !== 'connection') continue;
    // What most clients and servers say; it names nothing that would not be left out anyway.
    if (raw[index + 1] === 'keep-alive' || raw[index + 1] === 'close') continue;
    named ??= new Set();
    addNames(named, raw[index + 1]);
  }
  return named ?? none;
}

function addNames(names: Set<string>, value: string | undefined): void {
  for (const token of (value ?? '').split(',')) {
    const name = normalName(token.trim());
    if (name !== '' && name !== 'content-length' && name !== 'host') names.add(name);
  }
}
