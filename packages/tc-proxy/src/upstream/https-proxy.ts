/** An HTTP proxy between us and https upstreams, and who is reached without it. */
export interface HttpsProxy {
  /** http or https URL, with user name and password if it wants them. */
  url: string;
  /**
   * Hosts that are reached directly: names (which cover their subdomains), addresses, each with a port or
   * without, or `*`; separated by commas or spaces.
   */
  except?: string;
}

/** True when the host is on the list of those that are reached directly. */
export function isExcepted(list: string, host: string, port: number): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && (entry === '*' || matches(entry, host, port)));
}

function matches(entry: string, host: string, port: number): boolean {
  const [, rawName = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== undefined && Number(entryPort) !== port) return false;
  const name = rawName.replace(/^\*?\./, '');
  return host === name || host.endsWith(`.${name}`);
}
