import type Docker from 'dockerode';
import { label } from './labels.ts';
import { isAlive, isVisible, ownProcess } from './process-identity.ts';
import { removeContainer } from './remove-container.ts';
import { removeNetwork } from './run-network.ts';

export interface Swept {
  containers: number;
  networks: number;
}

/**
 * Removes the containers and networks that a killed worker left behind. Only what carries our labels is
 * touched, and of that only what belongs to a process which no longer runs.
 *
 * @param worker limits the sweep to one worker's things; without it all workers of this host are meant
 * @param own removes this process's things as well, as after an engine was lost with them
 */
export async function sweep(docker: Docker, worker?: string, own = false): Promise<Swept> {
  const filters = { label: [worker === undefined ? label.worker : `${label.worker}=${worker}`] };
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  const isDead = (labels: Record<string, string>) => isOrphan(labels[label.process] ?? '', own, worker);
  const deadContainers = containers.filter(({ Labels = {} }) => isDead(Labels));
  const deadNetworks = networks.filter(({ Labels = {} }) => isDead(Labels));
  await Promise.all(deadContainers.map(({ Id }) => removeContainer(docker, Id)));
  await Promise.all(deadNetworks.map(({ Id }) => removeNetwork(docker, Id)));
  return { containers: deadContainers.length, networks: deadNetworks.length };
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
