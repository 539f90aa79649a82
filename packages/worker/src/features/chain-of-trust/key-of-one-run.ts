import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SettingsOfOneRun } from '../feature.ts';

/** A key for somebody who tries a task; nobody else trusts what it has signed. */
export async function keyOfOneRun(folder: string): Promise<SettingsOfOneRun> {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [seed, publicKey] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const ed25519SigningKeyLocation = join(folder, 'ed25519.key');
  const text = Buffer.concat([seed, publicKey]).toString('base64');
  await writeFile(ed25519SigningKeyLocation, text, { mode: 0o600 });
  return {
    settings: { ed25519SigningKeyLocation },
    notice: `signs with a key that was made for this run (public key ${publicKey.toString('base64')}), since no ed25519SigningKeyLocation is configured`,
  };
}
