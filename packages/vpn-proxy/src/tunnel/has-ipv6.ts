import { readFile } from 'node:fs/promises';

/**
 * Whether an interface may be given an IPv6 address. Docker turns that off in containers on networks without
 * IPv6, for a tunnel's interface as well; `--sysctl net.ipv6.conf.all.disable_ipv6=0` turns it on again.
 */
export async function hasIpv6(): Promise<boolean> {
  const text = await readFile('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'utf8').catch(() => '1');
  return text.trim() === '0';
}
