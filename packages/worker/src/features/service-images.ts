import type { WorkerConfig } from '../config/config.ts';
import { sidecarImage } from '../sidecars/sidecar-image.ts';
import { featuresOf } from './index.ts';

/** The images of all services that the worker may start; each has Node. */
export function serviceImages(config: WorkerConfig): string[] {
  return featuresOf(config).flatMap(({ sidecars = [] }) =>
    sidecars.map((sidecar) => sidecarImage(sidecar, config.sidecars)),
  );
}
