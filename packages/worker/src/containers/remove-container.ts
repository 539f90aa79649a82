import type Docker from 'dockerode';
import { engineMessage, engineStatus } from '../engine/engine.ts';
import { EngineTimeout } from '../engine/engine-api.ts';
import { whenFilesAllow } from './when-files-allow.ts';

/** How long the engine may take to end a removal that somebody else has asked for. */
const usualRemovalMs = 60_000;

/** Kills and removes a container with its anonymous volumes; one that is gone or going already is fine. */
export async function removeContainer(
  docker: Docker,
  id: string,
  { removalMs = usualRemovalMs } = {},
): Promise<void> {
  const container = docker.getContainer(id);
  const remove = () => whenFilesAllow(() => container.remove({ force: true, v: true }));
  try {
    await remove().catch(async (error: unknown) => {
      if (!isJustEnding(error)) {
        throw error;
      }
      // Of which Podman tells in place of the removal.
      await container.wait({ abortSignal: AbortSignal.timeout(removalMs) }).catch(() => {});
      await remove();
    });
  } catch (error) {
    if (engineStatus(error) === 404) {
      return;
    }
    if (engineStatus(error) !== 409 || !/already in progress/.test(engineMessage(error))) {
      throw error;
    }
    const abortSignal = AbortSignal.timeout(removalMs);
    await container.wait({ condition: 'removed', abortSignal }).catch((failure: unknown) => {
      if (abortSignal.aborted) {
        throw new EngineTimeout('DELETE', `/containers/${id}`, removalMs);
      }
      if (engineStatus(failure) !== 404) {
        throw failure;
      }
    });
  }
}

/** The container ended while it was being killed. */
function isJustEnding(error: unknown): boolean {
  return engineStatus(error) === 500 && /state improper/.test(engineMessage(error));
}
