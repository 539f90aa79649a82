import { readFile } from 'node:fs/promises';
import type { Registration } from '../../config-file/registration.ts';
import { UserError } from '../../user-error.ts';
import type { Cloud } from './cloud.ts';

/** A machine that people look after themselves and that has been given a secret to prove itself with. */
export function staticMachine(settings: Extract<Registration, { provider: 'static' }>): Cloud {
  const { rootUrl, providerId, workerPoolId, workerGroup, workerId, staticSecretFile } = settings;
  return {
    disposable: false,
    async identify() {
      const secret = await readFile(staticSecretFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new UserError(
          `registration.staticSecretFile: ${staticSecretFile} cannot be read (${error.code}).`,
          { cause: error },
        );
      });
      return {
        ...{ rootUrl, providerId, workerPoolId, workerGroup, workerId },
        workerIdentityProof: { staticSecret: secret.trim() },
        settings: {},
      };
    },
    terminating: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }),
  };
}
