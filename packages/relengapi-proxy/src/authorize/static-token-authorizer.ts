import { readFile } from 'node:fs/promises';
import type { Authorizer } from './authorizer.ts';
import { IssuerError } from './issuer-error.ts';

/** Sends a token that somebody else keeps up to date in a file, or a fixed one. */
export function staticTokenAuthorizer(
  source: { file?: string; token?: string },
  learnSecret: (secret: string) => void,
): Authorizer {
  return {
    async header() {
      const token = source.token ?? (await readToken(source.file ?? ''));
      learnSecret(token);
      return `Bearer ${token}`;
    },
  };
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new IssuerError(503, 'TokenUnavailable', `the token file cannot be read (${error.code})`);
  });
  const token = text.trim();
  if (token === '') throw new IssuerError(503, 'TokenUnavailable', 'the token file is empty');
  return token;
}
