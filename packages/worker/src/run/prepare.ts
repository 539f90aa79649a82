import { engineMessage } from '../engine/engine.ts';
import { ensureImage, type PullEvent } from '../engine/ensure-image.ts';
import { ownershipLabels } from '../engine/labels.ts';
import { createRunNetwork } from '../engine/run-network.ts';
import { type RunningSidecar, startSidecar } from '../engine/start-sidecar.ts';
import { createTaskContainer, type TaskContainer } from '../engine/task-container.ts';
import type { Contribution, Feature } from '../features/feature.ts';
import type { Payload } from '../payload/payload.ts';
import { RunFailure } from './resolution.ts';
import type { Run } from './run.ts';
import { taskContainerOptions } from './task-container-options.ts';

export interface Prepared {
  container: TaskContainer;
  contributions: Contribution[];
  /** The sidecars that are handed new credentials. */
  followers: RunningSidecar[];
}

/**
 * Makes all that a task needs before it starts: network, image and features at the same time, then the
 * container and the sidecars at the same time. What has been made when one of them fails is disposed of
 * with the run.
 *
 * @throws RunFailure with the text for the task's log
 */
export async function prepare(run: Run, payload: Payload, used: Feature[]): Promise<Prepared> {
  const { engine, config } = run.host;
  const [network, imageId, contributions] = await all([
    createRunNetwork(engine.docker, run.owner, config.network.subnets).then(
      (made) => run.resources.use(made),
      (error) => {
        throw aborted(`The network of the run could not be created: ${engineMessage(error)}`);
      },
    ),
    ensureImage(engine.docker, imageName(payload), pullProgress(run)).catch((error: Error) => {
      throw new RunFailure({ kind: 'failed' }, `Pulling docker image has failed.\nError: ${error.message}`);
    }),
    all(
      used.map(async (feature) => ({
        feature,
        contribution: await calling(
          'link',
          feature,
          async () => (await feature.prepare?.(run, payload)) ?? {},
        ),
      })),
    ),
  ]);
  run.signal.throwIfAborted();
  const [container, sidecars] = await all([
    createContainer(
      run,
      payload,
      imageId,
      network.id,
      contributions.map(({ contribution }) => contribution),
    ),
    all(
      contributions.flatMap(({ feature, contribution }) =>
        (contribution.sidecars ?? []).map(async ({ sidecar, config: sidecarConfig, followsCredentials }) => {
          const started = await calling('link', feature, () =>
            startSidecar(engine, {
              sidecar,
              config: sidecarConfig,
              network: network.id,
              owner: run.owner,
              registry: config.sidecars.registry,
              readySeconds: config.sidecars.readySeconds,
              onLog: (line) => run.logger.info({ sidecar: sidecar.name }, line),
            }),
          );
          return { started: run.resources.use(started), followsCredentials };
        }),
      ),
    ),
  ]);
  return {
    container,
    contributions: contributions.map(({ contribution }) => contribution),
    followers: sidecars.filter(({ followsCredentials }) => followsCredentials).map(({ started }) => started),
  };
}

async function createContainer(
  run: Run,
  payload: Payload,
  imageId: string,
  network: string,
  contributions: Contribution[],
): Promise<TaskContainer> {
  const options = taskContainerOptions(run, payload, imageId, network, contributions);
  options.Labels = ownershipLabels(run.owner, 'task');
  try {
    return run.resources.use(await createTaskContainer(run.host.engine, options));
  } catch (error) {
    throw new RunFailure(
      { kind: 'failed' },
      `Failure to properly start execution environment.\n${engineMessage(error)}`,
    );
  }
}

async function calling<T>(hook: string, feature: Feature, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw aborted(`Error calling '${hook}' for ${feature.name} : ${(error as Error).message}`);
  }
}

function aborted(reason: string): RunFailure {
  return new RunFailure(
    { kind: 'failed' },
    `Task was aborted because states could not be created successfully. ${reason}`,
  );
}

/**
 * Like Promise.all, but it waits for every one before it fails with the first failure: whatever is still
 * being made when another fails has an owner by the time the run is disposed of.
 */
async function all<const T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function imageName({ image }: Payload): string {
  if (typeof image === 'string') {
    return image;
  }
  if (image.type === 'docker-image') {
    return image.name;
  }
  throw new RunFailure({ kind: 'failed' }, `Unrecognized image type: ${image.type}`);
}

/** The beginning and end of each layer, in the words of the log format; Docker's own words for the whole. */
function pullProgress({ log }: Run): (event: PullEvent) => void {
  const started = new Map<string, number>();
  return ({ id, status }) => {
    if (status === undefined) {
      return;
    }
    if (id === undefined) {
      log.raw(`${status}\r\n`);
    } else if (status === 'Downloading' && !started.has(id)) {
      started.set(id, Date.now());
      log.raw(`${id} - Started downloading\r\n`);
    } else if (status === 'Download complete') {
      const seconds = (Date.now() - (started.get(id) ?? Date.now())) / 1000;
      log.raw(`${id} - Downloaded in ${seconds} seconds\r\n`);
    }
  };
}
