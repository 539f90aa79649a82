import type Docker from 'dockerode';
import { label } from './labels.ts';
import { isAlive, ownProcess } from './process-identity.ts';
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
  const deadContainers = containers.filter(({ Labels }) => isOrphan(Labels, own));
  const deadNetworks = networks.filter(({ Labels }) => isOrphan(Labels, own));
  await Promise.all(deadContainers.map(({ Id }) => removeContainer(docker, Id)));
  await Promise.all(deadNetworks.map(({ Id }) => removeNetwork(docker, Id)));
  return { containers: deadContainers.length, networks: deadNetworks.length };
}

function isOrphan(labels: Record<string, string> = {}, own: boolean): boolean {
  const owner = labels[label.process] ?? '';
  return (own && owner === ownProcess) || !isAlive(owner);
}
