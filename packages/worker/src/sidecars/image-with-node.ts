import type Docker from 'dockerode';
import type { WorkerConfig } from '../config/config.ts';
import { ensureImage, localImage } from '../engine/ensure-image.ts';
import { featuresOf } from '../features/index.ts';
import { prefixCredentials } from '../images/registry-credentials.ts';
import { UserError } from '../user-error.ts';
import { howToGet } from './missing-sidecars.ts';
import { sidecarImage } from './sidecar-image.ts';

/** The id of an image of a service, all of which have Node, that the engine has already. */
export async function localImageWithNode(docker: Docker, config: WorkerConfig): Promise<string | undefined> {
  const local = await Promise.all(imagesOf(config).map((image) => localImage(docker, image)));
  return local.find((id) => id !== undefined);
}

/**
 * The same, pulled when the images come from a registry.
 *
 * @throws UserError when there is none
 */
export async function imageWithNode(docker: Docker, config: WorkerConfig): Promise<string> {
  const local = await localImageWithNode(docker, config);
  if (local !== undefined) {
    return local;
  }
  const { registry } = config.sidecars;
  const [image] = imagesOf(config);
  if (registry === undefined || image === undefined) {
    throw new UserError(`No image of docker-worker is on this engine: ${howToGet}.`);
  }
  return await ensureImage(docker, image, { credentials: prefixCredentials(config, registry) });
}

function imagesOf(config: WorkerConfig): string[] {
  return featuresOf(config).flatMap(({ sidecars = [] }) =>
    sidecars.map((sidecar) => sidecarImage(sidecar, config.sidecars)),
  );
}
