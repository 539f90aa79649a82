import { unlessAborted } from '../../async/unless-aborted.ts';
import type { ArtifactRun } from './storage.ts';

/** The queue's call with the credentials of this moment; its answer is not parsed yet. */
export async function createArtifact(
  { queue, taskId, runId }: ArtifactRun,
  name: string,
  signal: AbortSignal | undefined,
  request: { storageType: string; expires: string } & Record<string, string>,
): Promise<unknown> {
  signal?.throwIfAborted();
  const answer: Promise<unknown> = queue().createArtifact(taskId, runId, name, request);
  return await (signal === undefined ? answer : unlessAborted(signal, answer));
}
