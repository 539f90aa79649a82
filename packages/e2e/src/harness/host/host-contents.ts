import Docker from 'dockerode';

export const docker = new Docker();

const ofWorkers = { label: ['docker-worker.worker'] };

/** Names of all containers, networks and volumes on the engine. */
export async function hostContents(): Promise<string[]> {
  return (await Promise.all([engineContents(), volumes()])).flat().sort();
}

/** Those of them that have a worker as their owner, who may dispose of them at any time. */
export async function workerContents(): Promise<string[]> {
  return await engineContents(ofWorkers);
}

async function engineContents(filters?: typeof ofWorkers): Promise<string[]> {
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  return [
    ...containers.map(({ Id, Names }) => `container ${Names.join(',')} ${Id}`),
    ...networks.map(({ Id, Name }) => `network ${Name} ${Id}`),
  ];
}

async function volumes(): Promise<string[]> {
  return (await docker.listVolumes()).Volumes.map(({ Name }) => `volume ${Name}`);
}
