import { randomBytes, X509Certificate } from 'node:crypto';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import type { VpnSettings } from './vpn-settings.ts';

/** A new OpenVPN server for one client, which has a certificate, a name and a password. */
export function openvpnSettings(protocol: 'tcp' | 'udp', pushed: readonly string[]): VpnSettings {
  const user = { name: 'tester', password: `password-${randomBytes(12).toString('hex')}` };
  const credentials = `${user.name}\n${user.password}\n`;
  const [server, client] = [selfSigned(), selfSigned()];
  return {
    protocol,
    readyText: 'Initialization Sequence Completed',
    user,
    secrets: [user.password, client.key.split('\n')[1] ?? ''],
    serverFiles: {
      'server.conf': serverConfig(protocol, client.cert, pushed),
      'server.key': server.key,
      'server.crt': server.cert,
      credentials,
    },
    clientFiles: (host, port) => ({
      'config.conf': clientConfig(protocol, { host, port }, server.cert),
      'client.key': client.key,
      'client.crt': client.cert,
      credentials,
    }),
  };
}

function serverConfig(protocol: 'tcp' | 'udp', clientCertificate: string, pushed: readonly string[]): string {
  const verify = `/bin/sh -c 'cmp -s /server/credentials $1' verify`;
  return [
    'dev tun',
    `proto ${protocol === 'tcp' ? 'tcp-server' : 'udp'}`,
    'port 1194',
    'mode server',
    'tls-server',
    'topology subnet',
    'server 10.99.0.0 255.255.255.0',
    'server-ipv6 fd99::/64',
    'cert server.crt',
    'key server.key',
    'dh none',
    `peer-fingerprint ${new X509Certificate(clientCertificate).fingerprint256}`,
    'keepalive 2 6',
    ...pushed.map((option) => `push "${option}"`),
    'script-security 2',
    `auth-user-pass-verify "${verify}" via-file`,
  ].join('\n');
}

function clientConfig(
  protocol: 'tcp' | 'udp',
  server: { host: string; port: number },
  serverCertificate: string,
): string {
  return [
    'client',
    'dev tun',
    `proto ${protocol}`,
    `remote ${server.host} ${server.port}`,
    'nobind',
    'cert client.crt',
    'key client.key',
    'auth-user-pass credentials',
    'connect-retry 1 2',
    `peer-fingerprint ${new X509Certificate(serverCertificate).fingerprint256}`,
  ].join('\n');
}
