import type { ContainerInspectInfo } from 'dockerode';
import { docker } from './host-contents.ts';

/** The containers of a task run by their role: the task's own, and the running ones on its network. */
export async function runContainers(taskRun: string): Promise<Map<string, ContainerInspectInfo>> {
  const task = await taskContainer(taskRun);
  if (task === undefined) {
    return new Map();
  }
  const { Containers: attached = {} } = await docker.getNetwork(networkOf(task)).inspect();
  const others = await Promise.all(
    Object.keys(attached)
      .filter((id) => id !== task.Id)
      .map((id) => docker.getContainer(id).inspect()),
  );
  return new Map(
    [task, ...others].map((container) => [container.Config.Labels['docker-worker.role'] ?? '', container]),
  );
}

/** The network of a task run; throws when it has none. */
export async function runNetwork(taskRun: string): Promise<string> {
  const task = await taskContainer(taskRun);
  if (task === undefined) {
    throw new Error(`the run ${taskRun} has no container`);
  }
  return networkOf(task);
}

export async function networkExists(id: string): Promise<boolean> {
  return (await docker.listNetworks({ filters: { id: [id] } })).length > 0;
}

/** The address of a container on its only network. */
export function addressOf(container: ContainerInspectInfo | undefined): string {
  const [network] = Object.values(container?.NetworkSettings.Networks ?? {});
  if (network === undefined) {
    throw new Error('the container is on no network');
  }
  return network.IPAddress;
}

async function taskContainer(taskRun: string): Promise<ContainerInspectInfo | undefined> {
  const [task] = await docker.listContainers({
    all: true,
    filters: { label: [`docker-worker.task-run=${taskRun}`, 'docker-worker.role=task'] },
  });
  return task && (await docker.getContainer(task.Id).inspect());
}

/** The worker names a task's network by its id. */
function networkOf(container: ContainerInspectInfo): string {
  return container.HostConfig.NetworkMode ?? '';
}
