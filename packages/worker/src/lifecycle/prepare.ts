import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import { all } from '../async/all.ts';
import { createTaskContainer, type TaskContainer } from '../containers/task-container.ts';
import { engineMessage } from '../engine/engine.ts';
import type { Contribution, Feature } from '../features/feature.ts';
import { runImage } from '../images/run-image.ts';
import type { LoadedImage } from '../images/task-image.ts';
import { containerName } from '../ownership/container-name.ts';
import { ownershipLabels } from '../ownership/labels.ts';
import type { Payload } from '../payload/payload.ts';
import { hostFault, isHostFault } from '../run/host-fault.ts';
import { RunFailure } from '../run/resolution.ts';
import type { Run } from '../run/run.ts';
import type { RunUnit } from '../sidecars/run-unit.ts';
import { SidecarFailure } from '../sidecars/sidecar-control.ts';
import { taskContainerOptions } from './container/task-container-options.ts';
import { waitingCommand } from './container/waiting-command.ts';
import { wrappedCommand } from './container/wrapped-command.ts';
import { SupervisedSidecar } from './supervised-sidecar.ts';

export interface Prepared {
  container: TaskContainer;
  contributions: Contribution[];
  sidecars: SupervisedSidecar[];
}

/**
 * Makes all that a task needs before it starts: its network with the sidecars, its image and the features'
 * part at the same time, then the container while the sidecars are configured. What has been made when one
 * of them fails is disposed of with the run.
 *
 * @throws RunFailure with the text for the task's log
 */
export async function prepare(run: Run, payload: Payload, used: Feature[]): Promise<Prepared> {
  const sidecars = used.flatMap((feature) => feature.sidecars ?? []);
  const [unit, image, prepared] = await all([
    takeUnit(run, sidecars),
    imageOf(run, payload),
    all(used.map((feature) => calling('link', feature, () => contributionOf(feature, run, payload)))),
  ]);
  run.image = image;
  run.host.onStep?.(run);
  run.signal.throwIfAborted();
  const contributions = prepared.map(({ contribution }) => contribution);
  await all(
    prepared.map(({ feature, contribution }) =>
      calling('link', feature, async () => contribution.onImage?.(image.hash)),
    ),
  );
  const creating = createContainer(run, payload, image.hash, unit, contributions);
  const taskContainer = async () => (await creating).id;
  const [container, started] = await all([
    creating,
    all(
      prepared.flatMap(({ feature, contribution }) =>
        (contribution.sidecars ?? []).map((request) =>
          calling('link', feature, () => SupervisedSidecar.start({ run, unit, request, taskContainer })),
        ),
      ),
    ),
  ]);
  return { container, contributions, sidecars: started };
}

async function imageOf(run: Run, payload: Payload): Promise<LoadedImage> {
  const asked = performance.now();
  run.logger.info({ image: payload.image }, 'ensure image');
  try {
    const image = await runImage(run, payload);
    run.imageReady = new Date();
    run.host.metrics?.imageSeconds.observe((performance.now() - asked) / 1000);
    return image;
  } catch (error) {
    run.signal.throwIfAborted();
    run.host.metrics?.imageFailures.inc();
    const message = `Pulling docker image has failed.\nError: ${(error as Error).message}`;
    throw isHostFault(error) ? hostFault(message, error) : new RunFailure({ kind: 'failed' }, message);
  }
}

async function contributionOf(
  feature: Feature,
  run: Run,
  payload: Payload,
): Promise<{ feature: Feature; contribution: Contribution }> {
  return { feature, contribution: (await feature.prepare?.(run, payload)) ?? {} };
}

/** A unit made ahead, if there is one that fits, else a new one. */
async function takeUnit(run: Run, sidecars: Sidecar[]): Promise<RunUnit> {
  const { host } = run;
  try {
    const unit = await host.warmUnits.take(sidecars, run.owner.taskRun);
    unit.logger = run.logger;
    run.network = unit.network;
    return run.resources.use(unit);
  } catch (error) {
    throw hostFault(
      notCreated(`The network of the run could not be created: ${engineMessage(error)}`),
      error,
    );
  }
}

async function createContainer(
  run: Run,
  payload: Payload,
  imageId: string,
  unit: RunUnit,
  contributions: Contribution[],
): Promise<TaskContainer> {
  const options = taskContainerOptions(run, payload, imageId, unit, contributions);
  options.Labels = ownershipLabels(run.owner, 'task');
  options.name = containerName(run.owner, 'task', run.task.metadata?.name);
  const wrapper = contributions.flatMap(({ wrapper: own }) => own ?? []);
  try {
    if (wrapper.length > 0 || payload.command.length === 0) {
      const { Config: image } = await run.host.engine.docker.getImage(imageId).inspect();
      if (wrapper.length > 0) {
        Object.assign(options, wrappedCommand(wrapper, payload.command, image));
      } else {
        mustNotWait(waitingCommand(image));
      }
    }
    const container = await createTaskContainer(run.host.engine, options);
    run.resources.defer(() => removed(run, container, Object.keys(payload.cache ?? {})));
    return container;
  } catch (error) {
    throw unstartable(run, error);
  }
}

/** People who log in come to a wrapped command; to any other, nobody does. */
function mustNotWait(command: string | undefined): void {
  if (command !== undefined) {
    throw new Error(
      `The task has no command, and that of its image (${command}) only waits for input, which no task gets. ` +
        'Set payload.command, as in ["bash", "-c", "make test"], or payload.features.interactive to log in.',
    );
  }
}

/** The engine does not take what the task wants, unless it has a trouble of its own. */
export function unstartable(run: Run, error: unknown): RunFailure {
  // What the task asks for is its own affair, of which its log tells.
  run.logger[isHostFault(error) ? 'error' : 'info']({ err: error }, 'error starting container');
  const message = `Failure to properly start execution environment.\n${engineMessage(error)}`;
  return isHostFault(error) ? hostFault(message, error) : new RunFailure({ kind: 'failed' }, message);
}

async function removed({ logger }: Run, container: TaskContainer, caches: string[]): Promise<void> {
  try {
    await container[Symbol.asyncDispose]();
    logger.info({ container: container.id, caches }, 'container removed');
  } catch (error) {
    logger.error({ err: error, container: container.id }, 'container removal error');
    throw error;
  }
}

async function calling<T>(hook: string, feature: Feature, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RunFailure) {
      throw error;
    }
    const message = notCreated(`Error calling '${hook}' for ${feature.name} : ${(error as Error).message}`);
    throw error instanceof SidecarFailure || isHostFault(error)
      ? hostFault(message, error)
      : new RunFailure({ kind: 'failed' }, message);
  }
}

function notCreated(reason: string): string {
  return `Task was aborted because states could not be created successfully. ${reason}`;
}
