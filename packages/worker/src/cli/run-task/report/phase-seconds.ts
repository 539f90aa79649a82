import type { Run } from '../../../run/run.ts';
import type { Phase } from './task-result.ts';

/**
 * How long each part of a run took. An image and sidecars are prepared side by side: `sidecars` is what was left of that once the image
 * was there.
 *
 * @param scheduled when the queue had it ready to be claimed
 */
export function phaseSeconds(
  { claimed, imageReady, started, exited }: Pick<Run, 'claimed' | 'imageReady' | 'started' | 'exited'>,
  scheduled: Date,
  resolved = new Date(),
): Partial<Record<Phase, number>> {
  const steps: [Phase, Date | undefined][] = [
    ['waiting', claimed],
    ['image', imageReady],
    ['sidecars', started],
    ['running', exited],
    ['uploading', resolved],
  ];
  const seconds: Partial<Record<Phase, number>> = {};
  let from = scheduled;
  for (const [phase, until] of steps) {
    if (until === undefined) {
      break;
    }
    seconds[phase] = Math.max(0, until.getTime() - from.getTime()) / 1000;
    from = until;
  }
  return seconds;
}
