import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { engineStatus } from '../engine/engine.ts';

/** The id of the image that this process runs in, when it is in a container of that engine. */
export async function ownImage(docker: Docker): Promise<string | undefined> {
  const id = containerIn(await readFile('/proc/self/mountinfo', 'utf8'));
  if (id === undefined) {
    return undefined;
  }
  try {
    return (await docker.getContainer(id).inspect()).Image;
  } catch (error) {
    // Of another engine, which this one may itself be a container of.
    if (engineStatus(error) === 404) {
      return undefined;
    }
    throw error;
  }
}

/** Engines mount the files of a container's network from a folder with its id in the path. */
export function containerIn(mounts: string): string | undefined {
  return /\/([0-9a-f]{64})\/(?:userdata\/)?(?:hostname|hosts|resolv\.conf) \/etc\//.exec(mounts)?.[1];
}
