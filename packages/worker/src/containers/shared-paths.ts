import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { engineMessage, engineStatus } from '../engine/engine.ts';
import { ownershipLabels } from '../ownership/labels.ts';
import { isAlive, ownProcess } from '../ownership/process-identity.ts';
import { UserError } from '../user-error.ts';

const probePrefix = '.probe-';

/**
 * Makes sure that the engine sees the folders that it mounts into containers where this process has them: not so
 * when the worker is a container without them, or the engine is on another machine.
 *
 * @param folders by the configuration keys that name them
 * @throws UserError that names the key of the configuration and what to mount, of each folder that it does not see
 */
export async function requireSharedPaths(
  docker: Docker,
  worker: string,
  folders: Record<string, string>,
): Promise<void> {
  const [image] = await docker.listImages();
  // The engine looks at a path when a container is made with it, which takes an image. One that has none knows
  // nothing of this host yet; the first task will tell.
  if (image === undefined) return;
  const probed = await Promise.allSettled(
    Object.entries(folders).map(([key, folder]) =>
      requireShared(docker, { image: image.Id, worker, key, folder }),
    ),
  );
  const errors = probed.flatMap((probe) => (probe.status === 'rejected' ? [probe.reason] : []));
  const fault = errors.find((error) => !(error instanceof UserError));
  if (fault !== undefined) throw fault;
  if (errors.length > 0) throw new UserError(errors.map(({ message }) => message).join('\n'));
}

async function requireShared(
  docker: Docker,
  { image, worker, key, folder }: { image: string; worker: string; key: string; folder: string },
): Promise<void> {
  const probe = join(folder, `${probePrefix}${randomUUID()}~${ownProcess}`);
  await mkdir(folder, { recursive: true });
  await sweepProbes(folder);
  await writeFile(probe, '');
  try {
    const container = await docker.createContainer({
      Image: image,
      Cmd: ['none'],
      Labels: ownershipLabels({ worker, taskRun: 'none' }, 'probe'),
      HostConfig: { Mounts: [{ Type: 'bind', Source: probe, Target: '/probe', ReadOnly: true }] },
    });
    // Never started: it was made for the engine to look.
    await container.remove({ force: true });
  } catch (error) {
    if (engineStatus(error) !== 400) throw error;
    throw new UserError(
      `The Docker Engine does not find ${folder} ("${key}") where this worker has it (${engineMessage(error)}): mount ` +
        `it at the same path, "--volume ${folder}:${folder}", or set "${key}" to a folder that both have.`,
    );
  } finally {
    await rm(probe, { force: true });
  }
}

/** A worker that is killed while the engine looks leaves its file. */
async function sweepProbes(folder: string): Promise<void> {
  const probes = (await readdir(folder)).filter((name) => name.startsWith(probePrefix));
  const left = probes.filter((name) => !isAlive(name.split('~')[1] ?? ''));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}
