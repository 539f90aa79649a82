import type { ContainerInfo } from 'dockerode';
import { docker } from './host-contents.ts';

/** The containers of a task run by their role: `task`, `sidecar:tc-proxy`. */
export async function runContainers(taskRun: string): Promise<Map<string, ContainerInfo>> {
  const containers = await docker.listContainers({
    all: true,
    filters: { label: [`docker-worker.task-run=${taskRun}`] },
  });
  return new Map(containers.map((container) => [container.Labels['docker-worker.role'] ?? '', container]));
}

export function addressOf(container: ContainerInfo | undefined): string {
  const [network] = Object.values(container?.NetworkSettings.Networks ?? {});
  if (network === undefined) {
    throw new Error('the container is on no network');
  }
  return network.IPAddress;
}
