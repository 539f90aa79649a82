import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { VpnFiles } from '../vpn-config.ts';
import { vpnFolder } from './vpn-files.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

async function prepared(files: Record<string, string>) {
  const learnt: string[] = [];
  const encoded = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, base64(text)]));
  const folder = await vpnFolder(VpnFiles.parse({ files: encoded }), (secret) => learnt.push(secret));
  return { folder, learnt };
}

test('files that came over the control channel are written for this user alone', async () => {
  const { folder } = await prepared({ 'config.conf': 'client', 'keys/a.key': 'x' });

  const { mode } = await stat(join(folder, 'keys/a.key'));
  const names = (await readdir(folder, { recursive: true })).sort();
  const text = await readFile(join(folder, 'config.conf'), 'utf8');
  await rm(folder, { recursive: true });

  expect(names).toEqual(['config.conf', 'keys', 'keys/a.key']);
  expect(text).toBe('client');
  expect((mode & 0o777).toString(8)).toBe('600');
});

test('passwords and keys, inline or in files, are learnt', async () => {
  const { folder, learnt } = await prepared({
    'config.conf': `client\nauth-user-pass creds\nkey "a.key"\n<tls-crypt>\n-----BEGIN\ninline-secret\n-----END\n</tls-crypt>\n`,
    creds: 'user-name\npass-word\n',
    'a.key': '-----BEGIN PRIVATE KEY-----\nkeybytes\n-----END PRIVATE KEY-----\n',
  });
  await rm(folder, { recursive: true });

  expect(learnt.toSorted()).toEqual(['inline-secret', 'keybytes', 'pass-word', 'user-name']);
});

test('a mounted folder is used as it is', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'vpn-'));
  await writeFile(join(directory, 'other.ovpn'), 'client');

  const folder = await vpnFolder(VpnFiles.parse({ directory, config: 'other.ovpn' }), () => {});
  await rm(directory, { recursive: true });

  expect(folder).toBe(directory);
});

test('a missing configuration is named', async () => {
  await expect(vpnFolder(VpnFiles.parse({ directory: '/nowhere' }), () => {})).rejects.toThrow(
    'the VPN configuration /nowhere/config.conf cannot be read (ENOENT)',
  );
});

test('options that would take the tunnel out of control are refused', async () => {
  await expect(prepared({ 'config.conf': 'client\ndaemon\n' })).rejects.toThrow('must not hold "daemon"');
});

test.each(['../x', '/etc/passwd', 'a/../../b'])('a file cannot be named %s', (name) => {
  expect(VpnFiles.safeParse({ files: { [name]: base64('x') } }).success).toBe(false);
});
