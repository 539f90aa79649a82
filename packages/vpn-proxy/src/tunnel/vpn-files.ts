import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ServiceError } from '@docker-worker/service-kit';
import type { VpnFiles } from '../vpn-config.ts';

/** Options that would take the tunnel out of this program's hands. */
const forbidden = /^\s*(daemon|inetd|log|log-append|syslog|management[a-z-]*)(\s|$)/m;

/**
 * The folder that the VPN's program is started in: the mounted one, or one of this process's own that the
 * files which came over the control channel are written to. Passwords in it are learnt for the redactor.
 *
 * @throws ServiceError
 */
export async function vpnFolder(vpn: VpnFiles, learnSecret: (secret: string) => void): Promise<string> {
  const directory = vpn.files ? await written(vpn.files) : vpn.directory;
  const main = join(directory, vpn.config);
  const config = await readFile(main, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const hint = error.code === 'EACCES' ? '; it must belong to root or be readable by everyone' : '';
    throw new ServiceError(`the VPN configuration ${main} cannot be read (${error.code})${hint}`);
  });
  const [, option] = forbidden.exec(config) ?? [];
  if (option !== undefined)
    throw new ServiceError(
      `the VPN configuration ${main} must not hold "${option}": it is up to this program`,
    );
  for (const secret of await secretsOf(config, directory)) learnSecret(secret);
  return directory;
}

async function written(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'vpn-'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, Buffer.from(content, 'base64'), { mode: 0o600 });
  }
  return directory;
}

/** Passwords and the lines of private keys, inline or in files that the configuration names. */
async function secretsOf(config: string, directory: string): Promise<string[]> {
  const inline = [...config.matchAll(/<(auth-user-pass|key|tls-[a-z0-9-]+)>([\s\S]*?)<\/\1>/g)].map(
    ([, , text]) => text ?? '',
  );
  const named = [
    ...config.matchAll(/^\s*(?:auth-user-pass|askpass|key|tls-auth|tls-crypt(?:-v2)?)\s+"?([^\s"]+)/gm),
  ];
  const wireguard = [...config.matchAll(/^\s*(?:PrivateKey|PresharedKey)\s*=\s*(\S+)/gim)].map(
    ([, key]) => key ?? '',
  );
  const known = new Set(await readdir(directory, { recursive: true }));
  const files = await Promise.all(
    named.map(([, file = '']) =>
      readFile(known.has(file) ? join(directory, file) : file, 'utf8').catch(() => ''),
    ),
  );
  return [...inline, ...files, ...wireguard]
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('-----') && !line.startsWith('#'));
}
