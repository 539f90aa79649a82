import { isIP } from 'node:net';

/**
 * Name servers and domain among the variables that OpenVPN tells when a tunnel is up: `dhcp-option DNS`
 * as older servers push it, and `dns server` of newer ones.
 */
export function pushedDns(variables: ReadonlyMap<string, string>): { servers: string[]; domain?: string } {
  const servers: string[] = [];
  let domain: string | undefined;
  for (const [name, value] of [...variables].toSorted(([a], [b]) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )) {
    if (/^foreign_option_\d+$/.test(name)) {
      const [, key, text = ''] = /^dhcp-option (DNS6?|DOMAIN) (\S+)$/.exec(value) ?? [];
      if (key === 'DOMAIN') domain ??= text;
      else if (key) servers.push(text);
    } else if (/^dns_server_\d+_address/.test(name)) servers.push(value);
    else if (/^dns_(server_\d+_domain|search_domain)_\d+$/.test(name)) domain ??= value;
  }
  return { servers: servers.filter((server) => isIP(server) !== 0), ...(domain ? { domain } : {}) };
}
