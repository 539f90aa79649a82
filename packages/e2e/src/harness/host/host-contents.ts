import Docker from 'dockerode';

export const docker = new Docker();

/** Names of all containers, networks and volumes on the engine. */
export async function hostContents(): Promise<string[]> {
  const [containers, networks, volumes] = await Promise.all([
    docker.listContainers({ all: true }),
    docker.listNetworks(),
    docker.listVolumes(),
  ]);
  return [
    ...containers.map(({ Id, Names }) => `container ${Names.join(',')} ${Id}`),
    ...networks.map(({ Id, Name }) => `network ${Name} ${Id}`),
    ...volumes.Volumes.map(({ Name }) => `volume ${Name}`),
  ].sort();
}
