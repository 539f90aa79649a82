import { readFile } from 'node:fs/promises';
import { UserError } from '../user-error.ts';
import type { WorkerConfig } from './config.ts';

/**
 * The certificate of this worker's host name and its key, in PEM.
 *
 * @param wantedBy the configuration key that needs them
 * @throws UserError
 */
export async function readCertificate(
  { ssl }: WorkerConfig,
  wantedBy: string,
): Promise<{ cert: string; key: string }> {
  const read = async (name: 'certificate' | 'key') => {
    const file = ssl?.[name];
    if (file === undefined) {
      throw new UserError(`"${wantedBy}" needs "ssl.${name}", the path of a PEM file.`);
    }
    return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new UserError(`ssl.${name}: ${file} cannot be read (${error.code}).`, { cause: error });
    });
  };
  const [cert, key] = await Promise.all([read('certificate'), read('key')]);
  return { cert, key };
}
