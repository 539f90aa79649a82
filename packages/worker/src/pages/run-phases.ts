import type { Phase } from '@docker-worker/run-page';
import type { Run } from '../run/run.ts';

type Dates = Pick<Run, 'claimed' | 'imageReady' | 'started' | 'exited'>;

/**
 * What a run has gone through since its claim, and where it is. An image and sidecars are prepared side by side: `sidecars` is
 * what was left of that once the image was there.
 *
 * @param image as in its size
 * @param over when it has ended, if it has
 */
export function runPhases(
  { claimed, imageReady, started, exited }: Dates,
  image?: string,
  over?: Date,
): Phase[] {
  const steps: [Phase['name'], from: Date | undefined, until: Date | undefined, note?: string][] = [
    ['image', claimed, imageReady, image],
    ['sidecars', imageReady, started],
    ['running', started, exited],
    ['uploading', exited, undefined],
  ];
  return steps.flatMap(([name, from, until = over, note]) =>
    from === undefined ? [] : [{ name, from: from.toJSON(), until: until?.toJSON(), note }],
  );
}
