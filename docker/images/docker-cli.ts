import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Label with the digest of what an image was made from; equal digests need no new bake. */
export const inputsLabel = 'docker-worker.inputs';

/** Runs the Docker command line and returns its standard output; a failure carries the command's own words. */
export async function dockerOutput(args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('docker', args, { maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`docker ${args[0]} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** A label of a local image: `undefined` when there is no such image, empty when it has no such label. */
export async function imageLabel(image: string, label: string): Promise<string | undefined> {
  try {
    return await dockerOutput(['image', 'inspect', '--format', `{{index .Config.Labels "${label}"}}`, image]);
  } catch {
    return undefined;
  }
}
