import { z } from 'zod';

const ed25519SigningKeyLocation = z
  .string()
  .default('/etc/docker-worker-ed25519-cot-signing-key.key')
  .describe('Base64 text of the Ed25519 key that chain-of-trust documents are signed with.');

export const settings = { ed25519SigningKeyLocation };
