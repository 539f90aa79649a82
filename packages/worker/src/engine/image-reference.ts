/** The parts of an image's name, by the reference grammar of the distribution specification. */
export interface ImageReference {
  /** Registry with its port; the engine's own default without it. */
  domain?: string;
  path: string;
  tag?: string;
  /** `<algorithm>:<hex>` */
  digest?: string;
}

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const path = `${component}(?:/${component})*`;
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const domain = String.raw`(?:${label}(?:\.${label})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?`;
const tag = String.raw`\w[\w.-]{0,127}`;
const digest = 'sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}';

const reference = new RegExp(
  `^(?:(?<domain>${domain})/)?(?<path>${path})(?::(?<tag>${tag}))?(?:@(?<digest>${digest}))?$`,
);
const prefix = new RegExp(`^${domain}(?:/${path})?/?$`);

/** Longer ones are refused by every registry. */
const longestName = 255;

/** `undefined` for what is no name of an image. An id is none either, though an engine takes it for one. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > longestName + 512 || isId(text)) {
    return undefined;
  }
  const { domain: first, ...rest } = reference.exec(text)?.groups ?? {};
  const parts = rest as unknown as ImageReference;
  // What stands before the first slash is only a registry when it could not be a folder of the default one.
  const parsed =
    first === undefined || /[.:A-Z]|^localhost$/.test(first)
      ? { domain: first, ...parts }
      : { ...parts, path: `${first}/${parts.path}` };
  const name = [parsed.domain, parsed.path].filter((part) => part !== undefined).join('/');
  const isName = parts.path !== undefined && new RegExp(`^${path}$`).test(parsed.path);
  return isName && name.length <= longestName ? parsed : undefined;
}

/** Whether it is a registry's host, with or without a path below it. */
export function isRegistryPrefix(text: string): boolean {
  return text.length <= longestName && prefix.test(text);
}

/** Without a tag or digest the engine's API would pull every tag of the repository. */
export function withTag(name: string): string {
  const parsed = parseImageReference(name);
  return parsed === undefined || parsed.tag !== undefined || parsed.digest !== undefined
    ? name
    : `${name}:latest`;
}

function isId(text: string): boolean {
  return /^(sha256:)?[a-f0-9]{64}$/.test(text);
}
