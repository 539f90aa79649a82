import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type Docker from 'dockerode';
import { ensureImage } from '../engine/ensure-image.ts';
import { howToGet } from './missing-sidecars.ts';
import { SidecarFailure } from './sidecar-control.ts';
import { type SidecarImages, sidecarImage } from './sidecar-image.ts';

/**
 * Makes sure that a service's image is on the engine, and gives its id. Without a registry it is never pulled: a public one may
 * have something else by the name that they have here.
 *
 * @throws SidecarFailure
 */
export async function ensureSidecarImage(
  docker: Docker,
  sidecar: Sidecar,
  images: SidecarImages,
  signal: AbortSignal,
): Promise<string> {
  const { registry, credentials } = images;
  const image = sidecarImage(sidecar, images);
  const pull = registry === undefined ? 'never' : 'missing';
  try {
    return await ensureImage(docker, image, { credentials, pull, signal });
  } catch (error) {
    const { message } = error as Error;
    const reason = registry === undefined ? `${message}; ${howToGet}` : message;
    throw new SidecarFailure({ name: sidecar.name, image }, reason);
  }
}
