import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { ServiceError } from '@docker-worker/service-kit';

/** Number of the routing table that the proxy's connections are sent to. */
export const routeTable = 110;

/** Asked behind the rules for answers and name servers. */
const preference = { answers: 100, nameServers: 105, proxy: 110 };

/** Any other route of the table comes before it. */
const worstMetric = '4278198272';

const dnsPort = '53';
// By number: minimal systems have no list of protocols.
const protocols = { udp: '17', tcp: '6' };

/**
 * From now on connections that the user `uid` opens have one way only: the tunnel's, which the tunnel
 * adds to the table while it is up. Without it they fail at once, whatever routes the main table has.
 *
 * Rules of the routing policy rather than a packet filter: they need neither iptables in the image nor its
 * modules in the kernel, and they choose by the socket's user, so also a connection that was opened while
 * the tunnel was up cannot go on elsewhere. Answers to clients leave from the address that they came to,
 * which no connection of ours is bound to, and so keep their way.
 */
export async function installKillSwitch(uid: number): Promise<void> {
  const user = ['uidrange', `${uid}-${uid}`];
  const addresses = localAddresses();
  for (const version of ['-4', '-6'] as const) {
    try {
      for (const { address, family } of addresses) {
        if (family !== version) continue;
        await ip(
          version,
          'rule',
          'add',
          'pref',
          `${preference.answers}`,
          'from',
          address,
          ...user,
          'lookup',
          'main',
        );
      }
      for (const server of await systemNameServers()) {
        if ((server.includes(':') ? '-6' : '-4') !== version) continue;
        for (const protocol of Object.values(protocols)) {
          const dns = ['to', server, 'ipproto', protocol, 'dport', dnsPort, 'lookup', 'main'];
          await ip(version, 'rule', 'add', 'pref', `${preference.nameServers}`, ...user, ...dns);
        }
      }
      await ip(
        version,
        'route',
        'add',
        'unreachable',
        'default',
        'metric',
        worstMetric,
        'table',
        `${routeTable}`,
      );
      await ip(version, 'rule', 'add', 'pref', `${preference.proxy}`, ...user, 'lookup', `${routeTable}`);
    } catch (error) {
      // A kernel without IPv6 offers no way round the tunnel either.
      if (version === '-6' && !addresses.some(({ family }) => family === '-6')) continue;
      const reason = ((error as { stderr?: string }).stderr ?? (error as Error).message).trim();
      throw new ServiceError(
        `the routes that keep requests inside the tunnel cannot be set (${reason}): run the container with ` +
          '--cap-add NET_ADMIN',
      );
    }
  }
}

function localAddresses(): { address: string; family: '-4' | '-6' }[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address, family }) => ({ address, family: family === 'IPv6' ? '-6' : '-4' }));
}

/** Used for the upstream's name as long as the VPN names no server of its own; loopback needs no rule. */
async function systemNameServers(): Promise<string[]> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  return [...text.matchAll(/^nameserver\s+([0-9a-fA-F.:]+)\s*$/gm)]
    .map(([, server]) => server ?? '')
    .filter((server) => !server.startsWith('127.') && server !== '::1');
}

async function ip(...args: string[]): Promise<void> {
  await promisify(execFile)('ip', args);
}
