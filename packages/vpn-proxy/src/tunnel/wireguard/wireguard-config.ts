import { isIP } from 'node:net';
import { ServiceError } from '@docker-worker/service-kit';

/** A configuration in the form of `wg-quick`, divided by who needs what. */
export interface WireguardConfig {
  /** For `wg setconf`: keys, peers and their endpoints. */
  device: string;
  /** Of the interface, each with its prefix length. */
  addresses: string[];
  /** Bytes. */
  mtu?: number;
  dns: { servers: string[]; domain?: string };
}

/** Commands, which would be run as root, and a rewriting of the file. */
const forbidden = ['preup', 'postup', 'predown', 'postdown', 'saveconfig'];

/** Routes are this program's business. */
const ignored = ['table'];

/**
 * The first handshake is made when something is to be sent, and packets are, from here to the server, what
 * keeps the way through firewalls open. As the manual of `wg` recommends.
 */
const keepaliveSeconds = 25;

/** @throws ServiceError */
export function parseWireguardConfig(text: string): WireguardConfig {
  const config: WireguardConfig = { device: '', addresses: [], dns: { servers: [] } };
  const lines: string[] = [];
  let section = '';
  for (const line of text.split('\n').map((raw) => raw.replace(/#.*/, '').trim())) {
    if (line === '') continue;
    if (/^\[\w+\]$/.test(line)) {
      section = line.toLowerCase();
      lines.push(line);
      continue;
    }
    const [, key = '', value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
    const name = key.toLowerCase();
    if (forbidden.includes(name)) throw problem(`must not hold "${key}": it is up to this program`);
    if (section !== '[interface]' || !readInterface(name, value, config)) lines.push(line);
  }
  const peers = lines.join('\n').split(/^(?=\[peer\]$)/im);
  config.device = peers.map((part) => withKeepalive(part)).join('');
  if (!/^\s*privatekey\s*=/im.test(config.device)) throw problem('has no PrivateKey');
  if (peers.length < 2) throw problem('has no [Peer]');
  if (config.addresses.length === 0) throw problem('has no Address');
  return config;
}

/** Returns whether the line is one that `wg setconf` does not know. */
function readInterface(name: string, value: string, config: WireguardConfig): boolean {
  const items = value.split(',').map((item) => item.trim());
  if (name === 'address') {
    config.addresses.push(...items.map((item) => (item.includes('/') ? item : `${item}/${hostBits(item)}`)));
  } else if (name === 'dns') {
    config.dns.servers.push(...items.filter((item) => isIP(item) !== 0));
    const domain = config.dns.domain ?? items.find((item) => isIP(item) === 0);
    if (domain) config.dns.domain = domain;
  } else if (name === 'mtu') config.mtu = wholeBytes(value);
  else return ignored.includes(name);
  return true;
}

function wholeBytes(text: string): number {
  if (!/^[1-9]\d{2,4}$/.test(text)) throw problem(`says "MTU = ${text}", which is no size of a packet`);
  return Number(text);
}

function hostBits(address: string): number {
  return isIP(address) === 6 ? 128 : 32;
}

function withKeepalive(part: string): string {
  const isBare = /^\[peer\]/i.test(part) && !/^persistentkeepalive\s*=/im.test(part);
  return isBare ? `${part.trimEnd()}\nPersistentKeepalive = ${keepaliveSeconds}\n` : `${part.trimEnd()}\n`;
}

function problem(text: string): ServiceError {
  return new ServiceError(`the WireGuard configuration ${text}`);
}
