import { BlockList, isIP } from 'node:net';

const forbidden = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8], // "this host": Linux connects it to loopback
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, and the metadata service of most clouds
  ['100.100.100.200', 32], // metadata: Alibaba Cloud
  ['168.63.129.16', 32], // metadata: Azure
  ['192.0.0.192', 32], // metadata: Oracle Cloud
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const) {
  forbidden.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['fd00:ec2::254', 128], // metadata: AWS
  ['fd20:ce::254', 128], // metadata: Google Cloud
  ['ff00::', 8],
] as const) {
  forbidden.addSubnet(network, prefix, 'ipv6');
}

/**
 * The address leads to this machine or to what only this machine can reach: loopback, link-local, metadata
 * services, multicast. Also when it is an IPv4 address inside an IPv6 one. Private networks are not among them.
 */
export function isForbiddenAddress(address: string): boolean {
  // BlockList sees through `::ffff:a.b.c.d` by itself, and knows nothing of the other embeddings.
  switch (isIP(address)) {
    case 4:
      return forbidden.check(address, 'ipv4');
    case 6: {
      const bare = address.replace(/%.*$/, '');
      const inner = embeddedIpv4(bare);
      return forbidden.check(bare, 'ipv6') || (inner !== undefined && forbidden.check(inner, 'ipv4'));
    }
    default:
      return false;
  }
}

/** IPv4 inside NAT64 (`64:ff9b::/96`), 6to4 (`2002::/16`), mapped and compatible addresses. */
function embeddedIpv4(address: string): string | undefined {
  const groups = ipv6Groups(address);
  const [first, second] = groups;
  const isPrefixed = first === 0x64 && second === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  const isMapped =
    groups.slice(0, 5).every((group) => group === 0) && (groups[5] === 0xffff || groups[5] === 0);
  if (isPrefixed || isMapped) return dotted(groups[6], groups[7]);
  return first === 0x2002 ? dotted(groups[1], groups[2]) : undefined;
}

function dotted(high = 0, low = 0): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function ipv6Groups(address: string): number[] {
  const hexOnly = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail] = hexOnly.split('::');
  const left = parsed(head);
  const right = parsed(tail ?? '');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...new Array<number>(missing).fill(0), ...right];
}

function parsed(groups: string): number[] {
  return groups === '' ? [] : groups.split(':').map((group) => Number.parseInt(group, 16));
}
