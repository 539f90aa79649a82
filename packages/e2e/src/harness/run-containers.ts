import type { ContainerInfo } from 'dockerode';
import { docker } from './host-contents.ts';

/** The containers of a task run by their role: the task's own, and those on its network. */
export async function runContainers(taskRun: string): Promise<Map<string, ContainerInfo>> {
  const [task] = await docker.listContainers({
    all: true,
    filters: { label: [`docker-worker.task-run=${taskRun}`, 'docker-worker.role=task'] },
  });
  if (task === undefined) {
    return new Map();
  }
  const network = networkOf(task);
  // Docker's own filter also passes containers that were never started.
  const neighbours = (await docker.listContainers({ all: true })).filter(
    (container) => container.Id !== task.Id && networkOf(container) === network,
  );
  return new Map(
    [task, ...neighbours].map((container) => [container.Labels['docker-worker.role'] ?? '', container]),
  );
}

/** The network of a task run; throws when it has none. */
export async function runNetwork(taskRun: string): Promise<string> {
  const task = (await runContainers(taskRun)).get('task');
  const network = task && networkOf(task);
  if (!network) {
    throw new Error(`the run ${taskRun} has no network`);
  }
  return network;
}

export async function networkExists(id: string): Promise<boolean> {
  return (await docker.listNetworks({ filters: { id: [id] } })).length > 0;
}

export function addressOf(container: ContainerInfo | undefined): string {
  const [network] = Object.values(container?.NetworkSettings.Networks ?? {});
  if (network === undefined) {
    throw new Error('the container is on no network');
  }
  return network.IPAddress;
}

function networkOf(container: ContainerInfo): string | undefined {
  return Object.values(container.NetworkSettings.Networks)[0]?.NetworkID || undefined;
}
