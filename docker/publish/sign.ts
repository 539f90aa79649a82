import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Signs with cosign where COSIGN_KEY says with which key; found missing before anything is pushed. */
export async function signer(): Promise<(image: string) => Promise<void>> {
  const key = process.env.COSIGN_KEY;
  if (!key) return async () => {};
  const run = promisify(execFile);
  await run('cosign', ['version']).catch(() => {
    throw new Error(
      'COSIGN_KEY is set, but cosign is not on the PATH: install it, or unset COSIGN_KEY to publish unsigned',
    );
  });
  return async (image) => {
    // Of a list for several platforms, each image as well: engines know only their own.
    await run('cosign', ['sign', '--yes', '--recursive', '--key', key, image]);
  };
}
