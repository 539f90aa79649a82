import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { type Engine, engineMessage, engineStatus } from '../engine/engine.ts';
import { ownershipLabels } from '../ownership/labels.ts';
import { isAlive, ownProcess } from '../ownership/process-identity.ts';
import { UserError } from '../user-error.ts';
import { removeContainer } from './remove-container.ts';

const probePrefix = '.probe-';
const probeImage = 'docker-worker-probe';

type Sharing = Pick<Engine, 'docker' | 'capabilities'>;

/** What the engine said of folders that it does not see, by engine and folder; `undefined` for those that it sees. */
const known = new WeakMap<Docker, Map<string, Promise<string | undefined>>>();

/**
 * Whether the engine sees a folder where this process has it, and can mount it into containers: not so when the worker is a
 * container without it, or the engine is on another machine. Unless that is beyond doubt it is tried, once for each connection.
 */
export async function seesFolder(engine: Sharing, worker: string, folder: string): Promise<boolean> {
  return engine.capabilities.sharesFiles || (await whyUnseen(engine.docker, worker, folder)) === undefined;
}

/**
 * Makes sure that the engine sees the folders that it mounts into containers where this process has them.
 *
 * @param folders by the configuration keys that name them
 * @throws UserError that names the key of the configuration and what to mount, of each folder that it does not see
 */
export async function requireSharedPaths(
  { docker }: Sharing,
  worker: string,
  folders: Record<string, string>,
): Promise<void> {
  const problems = await Promise.all(
    Object.entries(folders).map(async ([key, folder]) => {
      const reason = await whyUnseen(docker, worker, folder);
      return reason === undefined
        ? []
        : `The Docker Engine does not find ${folder} ("${key}") where this worker has it (${reason}): mount ` +
            `it at the same path, "--volume ${folder}:${folder}", or set "${key}" to a folder that both have.`;
    }),
  );
  if (problems.flat().length > 0) {
    throw new UserError(problems.flat().join('\n'));
  }
}

function whyUnseen(docker: Docker, worker: string, folder: string): Promise<string | undefined> {
  const ofEngine = known.get(docker) ?? new Map<string, Promise<string | undefined>>();
  known.set(docker, ofEngine);
  const asked = ofEngine.get(folder) ?? tryFolder(docker, worker, folder);
  ofEngine.set(folder, asked);
  asked.catch(() => ofEngine.delete(folder));
  return asked;
}

async function tryFolder(docker: Docker, worker: string, folder: string): Promise<string | undefined> {
  const probe = join(folder, `${probePrefix}${randomUUID()}~${ownProcess}`);
  await mkdir(folder, { recursive: true });
  await sweepProbes(folder);
  await writeFile(probe, '');
  try {
    return await whyUnmountable(docker, worker, probe);
  } finally {
    await rm(probe, { force: true });
  }
}

/** Engines look at a path when a container is made with it, or, as Podman does, when it is started. It ends at once: it has no program. */
async function whyUnmountable(docker: Docker, worker: string, path: string): Promise<string | undefined> {
  try {
    const container = await docker.createContainer({
      Image: await anyImage(docker),
      Entrypoint: ['/none'],
      Cmd: [],
      Labels: ownershipLabels({ worker, taskRun: 'none' }, 'probe'),
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: 'none',
        Mounts: [{ Type: 'bind', Source: path, Target: '/probe', ReadOnly: true }],
      },
    });
    try {
      await container.start();
    } finally {
      await removeContainer(docker, container.id);
    }
  } catch (error) {
    if (engineStatus(error) === undefined) {
      throw error;
    }
    // All else, as that there is no such program, is of no interest here.
    const message = engineMessage(error);
    return message.includes(path) ? message : undefined;
  }
  return undefined;
}

/** An engine that has none gets an empty one. */
async function anyImage(docker: Docker): Promise<string> {
  const [image] = await docker.listImages();
  if (image !== undefined) {
    return image.Id;
  }
  const emptyArchive = Buffer.alloc(1024);
  const imported = await docker.importImage(emptyArchive as never, { repo: probeImage, tag: 'latest' });
  imported.resume();
  await new Promise((resolve, reject) => imported.once('end', resolve).once('error', reject));
  return probeImage;
}

/** A worker that is killed while the engine looks leaves its file. */
async function sweepProbes(folder: string): Promise<void> {
  const probes = (await readdir(folder)).filter((name) => name.startsWith(probePrefix));
  const left = probes.filter((name) => !isAlive(name.split('~')[1] ?? ''));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}
