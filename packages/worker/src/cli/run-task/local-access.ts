import type Docker from 'dockerode';
import { type WorkerConfig, workerNameOf } from '../../config/config.ts';
import { prefixCredentials } from '../../config/registry-credentials.ts';
import type { Engine } from '../../engine/engine.ts';
import { ensureImage, firstLocalImage } from '../../engine/ensure-image.ts';
import { serviceImages } from '../../features/service-images.ts';
import { howToGet } from '../../sidecars/missing-sidecars.ts';
import { TaskclusterAccess } from '../../taskcluster-access/taskcluster-access.ts';
import { UserError } from '../../user-error.ts';

/** Lets containers reach the embedded Taskcluster. */
export function localAccess(engine: Engine, config: WorkerConfig): Promise<TaskclusterAccess> {
  return TaskclusterAccess.open({
    engine,
    worker: workerNameOf(config),
    subnets: config.network.subnets,
    image: () => imageWithNode(engine.docker, config),
  });
}

/** Any that the engine has, else one from where the images of services come from. */
async function imageWithNode(docker: Docker, config: WorkerConfig): Promise<string> {
  const images = serviceImages(config);
  const local = await firstLocalImage(docker, images);
  if (local !== undefined) {
    return local;
  }
  const { registry } = config.sidecars;
  const [image] = images;
  if (registry === undefined || image === undefined) {
    throw new UserError(
      `Containers reach the embedded Taskcluster by an image of docker-worker, and none is on this engine: ${howToGet}.`,
    );
  }
  return await ensureImage(docker, image, { credentials: prefixCredentials(config, registry) });
}
