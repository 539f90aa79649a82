import type Docker from 'dockerode';
import { label } from '../ownership/labels.ts';
import { ownerOfTag } from '../ownership/owner-tag.ts';
import { isAlive, isVisible, ownProcess } from '../ownership/process-identity.ts';
import { removeContainer } from './remove-container.ts';
import { removeNetwork } from './run-network.ts';
import { removeVolume } from './run-volume.ts';

/**
 * A repository of this host only: images have a tag in it, that of their owner, for as long as a worker makes
 * and saves them. Labels cannot tell: an image takes them to wherever it is loaded, and would be taken for a
 * leftover there.
 */
export const savingRepository = 'docker-worker-saving';

export interface Swept {
  containers: number;
  networks: number;
  images: number;
}

/**
 * Removes the containers, networks, volumes and half-saved images that a killed worker left behind. Only what carries
 * our labels or tags is touched, and of that only what belongs to a process which no longer runs.
 *
 * @param worker limits the sweep to one worker's things; without it all workers of this host are meant
 * @param own removes this process's things as well, as after an engine was lost with them
 */
export async function sweep(docker: Docker, worker?: string, own = false): Promise<Swept> {
  const filters = { label: [worker === undefined ? label.worker : `${label.worker}=${worker}`] };
  const [containers, networks, { Volumes: volumes }, images] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters: JSON.stringify(filters) as never }),
    docker.listImages({ filters: { reference: [savingRepository] } }),
  ]);
  // A saved image hands empty labels on to whatever runs it.
  const isDead = (labels: Record<string, string>) =>
    labels[label.worker] !== '' && isOrphan(labels[label.process] ?? '', own, worker);
  const deadContainers = containers.filter(({ Labels = {} }) => isDead(Labels));
  const deadNetworks = networks.filter(({ Labels = {} }) => isDead(Labels));
  await Promise.all(deadContainers.map(({ Id }) => removeContainer(docker, Id)));
  const deadVolumes = (volumes ?? []).filter(({ Labels }) => isDead(Labels ?? {}));
  const deadImages = images.filter(({ RepoTags = [] }) =>
    RepoTags.some((name) => {
      const [repository, tag = ''] = name.split(':');
      return repository === savingRepository && isOrphanTag(tag, own, worker);
    }),
  );
  await Promise.all([
    ...deadNetworks.map(({ Id }) => removeNetwork(docker, Id)),
    ...deadVolumes.map(({ Name }) => removeVolume(docker, Name)),
    // With all its names, of which a killed worker gave it several.
    ...deadImages.map(({ Id }) => docker.getImage(Id).remove({ force: true })),
  ]);
  return { containers: deadContainers.length, networks: deadNetworks.length, images: deadImages.length };
}

/** Like {@link isOrphan}, of what has its owner in its name. */
export function isOrphanTag(tag: string, own: boolean, worker: string | undefined): boolean {
  const owner = ownerOfTag(tag);
  return (
    owner !== undefined &&
    (worker === undefined || owner.isOf(worker)) &&
    isOrphan(owner.process, own, worker)
  );
}

/**
 * Of a process in another container's pid namespace nothing can be seen. It counts as gone for a worker of
 * the same name, of which there is only one; anybody else leaves its things alone.
 */
function isOrphan(owner: string, own: boolean, worker: string | undefined): boolean {
  if (owner === ownProcess) {
    return own;
  }
  return worker === undefined && !isVisible(owner) ? false : !isAlive(owner);
}
