/** A repository on a server such as GitHub. */
export interface Remote {
  owner: string;
  name: string;
  /** `https://HOST/OWNER/NAME`. */
  htmlUrl: string;
  cloneUrl: string;
  sshUrl: string;
}

/** Of the URL that git has of a remote, in any form that names a server, an owner and a repository. */
export function remoteOf(url: string | undefined): Remote | undefined {
  const [, host, path] =
    /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^/]+)\/(.+)$/.exec(url ?? '') ??
    /^(?:[^@/:]+@)?([^/:]+):(?!\/)(.+)$/.exec(url ?? '') ??
    [];
  const parts =
    path
      ?.replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split('/') ?? [];
  const name = parts.pop();
  if (host === undefined || name === undefined || parts.length === 0) {
    return undefined;
  }
  const owner = parts.join('/');
  const scheme = url?.startsWith('http:') ? 'http' : 'https';
  // A port is the one of ssh, unless the remote is reached by HTTP anyway.
  const server = /^https?:/.test(url ?? '') ? host : host.replace(/:\d+$/, '');
  const htmlUrl = `${scheme}://${server}/${owner}/${name}`;
  return { owner, name, htmlUrl, cloneUrl: `${htmlUrl}.git`, sshUrl: `git@${server}:${owner}/${name}.git` };
}
