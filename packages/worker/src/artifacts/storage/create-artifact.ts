import { untilAnswered } from '../../queue/until-answered.ts';
import type { ArtifactRun } from './storage.ts';

/** The queue's call with the credentials of each moment, until it answers; that is not parsed yet. */
export async function createArtifact(
  run: ArtifactRun,
  name: string,
  signal: AbortSignal | undefined,
  request: { storageType: string; expires: string } & Record<string, string>,
): Promise<unknown> {
  return await untilAnswered(() => run.queue().createArtifact(run.taskId, run.runId, name, request), {
    signal,
    onRetry: (error) => run.onRetry?.(name, error),
  });
}
