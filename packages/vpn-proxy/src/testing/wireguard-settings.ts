import { generateKeyPairSync } from 'node:crypto';
import type { VpnSettings } from './vpn-settings.ts';

/** A new WireGuard server for one client. */
export function wireguardSettings(nameServer: string): VpnSettings {
  const [server, client, preshared] = [keyPair(), keyPair(), keyPair().privateKey];
  return {
    protocol: 'udp',
    readyText: 'WireGuard is up',
    user: { name: '', password: '' },
    secrets: [client.privateKey, preshared],
    serverFiles: {
      'wireguard.conf': [
        '[Interface]',
        `PrivateKey = ${server.privateKey}`,
        'ListenPort = 1194',
        '[Peer]',
        `PublicKey = ${client.publicKey}`,
        `PresharedKey = ${preshared}`,
        'AllowedIPs = 10.99.0.2/32, fd99::2/128',
        '',
      ].join('\n'),
    },
    clientFiles: (host, port) => ({
      'config.conf': [
        '[Interface]',
        'Address = 10.99.0.2/24, fd99::2/64',
        `DNS = ${nameServer}, corp.test`,
        `PrivateKey = ${client.privateKey}`,
        '',
        '[Peer] # the only one',
        `PublicKey = ${server.publicKey}`,
        `PresharedKey = ${preshared}`,
        'AllowedIPs = 0.0.0.0/0, ::/0',
        `Endpoint = ${host}:${port}`,
        '',
      ].join('\n'),
    }),
  };
}

function keyPair(): { privateKey: string; publicKey: string } {
  const { d = '', x = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const base64 = (text: string) => Buffer.from(text, 'base64url').toString('base64');
  return { privateKey: base64(d), publicKey: base64(x) };
}
