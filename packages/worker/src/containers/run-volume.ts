import type Docker from 'dockerode';
import { engineStatus } from '../engine/engine.ts';
import { containerName } from '../ownership/container-name.ts';
import { type Owner, ownershipLabels } from '../ownership/labels.ts';

/** A volume of the engine for one run; containers that have it are gone before it is disposed of. */
export interface RunVolume extends AsyncDisposable {
  name: string;
}

export async function createRunVolume(docker: Docker, owner: Owner, role: string): Promise<RunVolume> {
  const name = containerName(owner, role);
  await docker.createVolume({ Name: name, Labels: ownershipLabels(owner, role) });
  return { name, [Symbol.asyncDispose]: () => removeVolume(docker, name) };
}

/** One that is gone already is fine. */
export async function removeVolume(docker: Docker, name: string): Promise<void> {
  await docker
    .getVolume(name)
    .remove({ force: true })
    .catch((error: unknown) => {
      if (engineStatus(error) !== 404) {
        throw error;
      }
    });
}
