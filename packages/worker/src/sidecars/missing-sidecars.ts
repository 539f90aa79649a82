import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type Docker from 'dockerode';
import { localImage } from '../engine/ensure-image.ts';
import { sidecarImage } from './sidecar-image.ts';

/** How the images get to a host. */
export const howToGet =
  'load them with "docker-worker images load FILE", bake them with "npm run images" in a clone, or set "sidecars.registry"';

/** Names of the images that a host without a registry has to have, and has not. */
export async function missingSidecars(docker: Docker, sidecars: readonly Sidecar[]): Promise<string[]> {
  const names = new Set(sidecars.map((sidecar) => sidecarImage(sidecar, { digests: {} })));
  const here = await Promise.all([...names].map((name) => localImage(docker, name)));
  return [...names].filter((_, at) => here[at] === undefined);
}
