import type Docker from 'dockerode';
import { engineMessage, engineStatus } from '../engine/engine.ts';

/** Kills and removes a container with its anonymous volumes; one that is gone or going already is fine. */
export async function removeContainer(docker: Docker, id: string): Promise<void> {
  const container = docker.getContainer(id);
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    if (engineStatus(error) === 404) {
      return;
    }
    if (engineStatus(error) !== 409 || !/already in progress/.test(engineMessage(error))) {
      throw error;
    }
    await container.wait({ condition: 'removed' }).catch((failure: unknown) => {
      if (engineStatus(failure) !== 404) {
        throw failure;
      }
    });
  }
}
