import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';

/**
 * Copies images from this host's engine into another one.
 *
 * @param load the `docker load` of the other
 */
export async function copyImages(
  images: readonly string[],
  [program, args]: [program: string, args: string[]],
): Promise<void> {
  const save = spawn('docker', ['save', ...images], { stdio: ['ignore', 'pipe', 'inherit'] });
  const load = spawn(program, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = Promise.all([once(save, 'close'), once(load, 'close')]);
  await pipeline(save.stdout, load.stdin);
  const codes = (await ended).map(([code]) => code as number | null);
  if (codes.some((code) => code !== 0)) {
    throw new Error(
      `${images.join(', ')} could not be copied: docker save and load ended with ${codes.join(', ')}`,
    );
  }
}
