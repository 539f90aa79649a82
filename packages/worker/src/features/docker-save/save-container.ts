import { z } from 'zod';
import { errorText } from '../../artifacts/error-text.ts';
import { bytesText } from '../../bytes-text.ts';
import type { RunningContainer } from '../../containers/task-container.ts';
import { engineMessage } from '../../engine/engine.ts';
import type { Payload } from '../../payload/payload.ts';
import type { Run } from '../../run/run.ts';
import { commitContainer } from './commit-container.ts';
import { type DiskBudget, diskBudget } from './disk-budget.ts';
import { savedImageNames } from './image-names.ts';
import { publishArchive } from './publish-archive.ts';

const Sizes = z.looseObject({ SizeRw: z.number().default(0), SizeRootFs: z.number() });

export const imageArtifact = 'public/dockerImage.tar';

export function cacheArtifact(name: string): string {
  return `public/cache/${name}.tar`;
}

type SavedPayload = Pick<Payload, 'cache' | 'command'>;

/**
 * Uploads a container that has exited as an image, and the task's caches beside it. All are tried, whatever
 * becomes of the others; then a failure rejects with its reason.
 *
 * @param payload its caches are name → where the container has them
 */
export async function saveContainer(
  run: Run,
  container: RunningContainer,
  payload: SavedPayload,
  signal: AbortSignal,
): Promise<void> {
  const { docker } = run.host.engine;
  const { SizeRw: own, SizeRootFs: whole } = Sizes.parse(
    await docker.getContainer(container.id).inspect({ size: true } as object),
  );
  let budget: DiskBudget;
  try {
    budget = await diskBudget(run, { own, whole });
  } catch (error) {
    throw new Error(`dockerSave: the container cannot be saved: ${errorText(error)}`);
  }
  const outcomes = await Promise.allSettled([
    explained(imageArtifact, signal, () =>
      saveImage(run, container, payload, { own, whole }, budget, signal),
    ),
    ...Object.entries(payload.cache).map(([name, mount]) => {
      const artifact = cacheArtifact(name);
      return explained(artifact, signal, async () => {
        // Read as the container sees it, where no link of the cache leads to a file of this host.
        const archive = await container.archive(`${mount.replace(/\/+$/, '')}/.`);
        await publishArchive(run, artifact, archive, { budget, signal });
      });
    }),
  ]);
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (reasons.length > 0) {
    throw new Error(reasons.map(errorText).join('\n'));
  }
}

async function saveImage(
  run: Run,
  container: RunningContainer,
  payload: SavedPayload,
  { own, whole }: { own: number; whole: number },
  budget: DiskBudget,
  signal: AbortSignal,
): Promise<void> {
  const names = savedImageNames(run.taskId, run.runId);
  run.log.worker(`dockerSave: saving the container (${bytesText(own)} of its own) as ${names.join(' and ')}`);
  const wanted = { names, command: payload.command };
  await using image = await commitContainer(run.host.engine, container.id, run.owner, wanted, signal);
  const archive = await image.archive(signal);
  await publishArchive(run, imageArtifact, archive, { budget, signal, expected: whole });
}

async function explained(artifact: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`dockerSave: ${artifact} could not be saved: ${engineMessage(error)}`, { cause: error });
  }
}
