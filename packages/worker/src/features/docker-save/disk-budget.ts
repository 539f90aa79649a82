import { bytesText } from '../../bytes-text.ts';
import { diskOf, engineDisk } from '../../engine/free-disk.ts';
import type { Run } from '../../run/run.ts';

/** Left for everything else that writes. */
const reserveBytes = 256 * 1024 * 1024;

/** What may be written below the run's folder. */
export interface DiskBudget {
  /** Throws instead of letting the disk run full. */
  take(bytes: number): void;
}

/**
 * Refuses to start what could fill a disk: the engine keeps the container's own layer as an image and lays
 * the whole image out before it hands it over, and this worker keeps what it is handed until it is uploaded.
 *
 * @param container sizes in bytes: of its own layer, and with its image's
 */
export async function diskBudget(
  { tempDir, host: { engine, config } }: Run,
  container: { own: number; whole: number },
): Promise<DiskBudget> {
  const [engines, ours] = await Promise.all([engineDisk(engine, config.dockerVolume), diskOf(tempDir)]);
  const engineNeeds = container.own + container.whole;
  const shared = engines?.device === ours.device;
  // An image may not compress at all.
  mustHave('the worker', container.whole + (shared ? engineNeeds : 0), ours.free);
  if (engines !== undefined && !shared) {
    mustHave('the Docker Engine', engineNeeds, engines.free);
  }
  let left = ours.free - reserveBytes - (shared ? engineNeeds : 0);
  return {
    take(bytes) {
      left -= bytes;
      if (left < 0) {
        throw new Error('the disk of the worker has no more room');
      }
    },
  };
}

function mustHave(whose: string, needs: number, free: number): void {
  if (needs + reserveBytes > free) {
    throw new Error(
      `it may take ${bytesText(needs + reserveBytes)} on the disk of ${whose}, where ${bytesText(free)} are free`,
    );
  }
}
