import type Docker from 'dockerode';
import { containerName } from '../../ownership/container-name.ts';
import { label } from '../../ownership/labels.ts';
import type { Outcome } from '../../run/outcome.ts';
import type { Run } from '../../run/run.ts';

const repository = 'docker-worker-kept';

/**
 * Leaves a copy of a failed task's container, with a shell in place of its command, and says how to enter it. The container
 * itself goes with its run's network and proxies.
 */
export async function keepContainer(
  docker: Docker,
  { owner, task, taskId }: Pick<Run, 'owner' | 'task' | 'taskId'>,
  containerId: string,
  { resolution }: Outcome,
): Promise<void> {
  const name = task.metadata?.name ?? taskId;
  if (resolution.kind === 'completed') {
    return;
  }
  try {
    const tag = `task-${taskId}`;
    await docker.getContainer(containerId).commit({ repo: repository, tag });
    // Nobody's any more: what sweeps leftovers goes by labels.
    const labels = Object.values(label).map((key) => [key, '']);
    const kept = containerName(owner, 'kept', name);
    await docker.createContainer({
      ...{ name: kept, Image: `${repository}:${tag}`, Labels: Object.fromEntries(labels) },
      ...{ Entrypoint: ['sh'], Cmd: [], Tty: true, OpenStdin: true, StdinOnce: true },
    });
    process.stderr.write(
      `${name}: its container is kept. Enter it by: docker start --attach --interactive ${kept}\n` +
        `${name}: and remove it by: docker rm ${kept} && docker rmi ${repository}:${tag}\n`,
    );
  } catch (error) {
    process.stderr.write(`${name}: its container could not be kept: ${(error as Error).message}\n`);
  }
}
