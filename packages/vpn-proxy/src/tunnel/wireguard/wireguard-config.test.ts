import { expect, test } from '@jest/globals';
import { parseWireguardConfig } from './wireguard-config.ts';

const [key, peer] = ['k'.repeat(43), 'p'.repeat(43)];
const plain = `[Interface]
PrivateKey = ${key}=
Address = 10.0.0.2/24
[Peer]
PublicKey = ${peer}=
AllowedIPs = 0.0.0.0/0
Endpoint = vpn.example.com:51820
`;

test('what is for wg, the interface and the name lookup is told apart', () => {
  const config = parseWireguardConfig(`# by the operator
[Interface]
address = 10.0.0.2, fd00::2/64
Address = 10.1.0.2/16
DNS = 10.0.0.1, fd00::1, corp.test, other.test
MTU = 1380
Table = off
PrivateKey = ${key}=
[Peer]
PublicKey = ${peer}= # the office
PersistentKeepalive = 15
`);

  expect(config).toEqual({
    addresses: ['10.0.0.2/32', 'fd00::2/64', '10.1.0.2/16'],
    dns: { servers: ['10.0.0.1', 'fd00::1'], domain: 'corp.test' },
    mtu: 1380,
    device: `[Interface]\nPrivateKey = ${key}=\n[Peer]\nPublicKey = ${peer}=\nPersistentKeepalive = 15\n`,
  });
});

test('each peer without a keepalive gets one', () => {
  const { device } = parseWireguardConfig(`${plain}[Peer]\nPublicKey = ${peer}=\nPersistentKeepalive = 5\n`);

  expect(device.match(/PersistentKeepalive = \d+/g)).toEqual([
    'PersistentKeepalive = 25',
    'PersistentKeepalive = 5',
  ]);
});

test.each([
  ['PostUp = iptables -F', 'must not hold "PostUp"'],
  ['saveconfig = true', 'must not hold "saveconfig"'],
  ['MTU = big', 'says "MTU = big"'],
])('%s is refused', (line, message) => {
  expect(() => parseWireguardConfig(plain.replace('[Peer]', `${line}\n[Peer]`))).toThrow(message);
});

test.each([
  [/^PrivateKey.*$/m, 'has no PrivateKey'],
  [/^Address.*$/m, 'has no Address'],
  [/^\[Peer\][\s\S]*/m, 'has no [Peer]'],
])('a configuration without %s is refused', (part, message) => {
  expect(() => parseWireguardConfig(plain.replace(part, ''))).toThrow(message);
});
