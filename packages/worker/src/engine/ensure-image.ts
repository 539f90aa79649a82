import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { engineMessage, engineStatus } from './engine.ts';

/** What the engine tells while it pulls: a line per step of a layer, or of the whole image. */
const PullEvent = z.looseObject({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.looseObject({ current: z.number().optional(), total: z.number().optional() }).optional(),
});
export type PullEvent = z.infer<typeof PullEvent>;

/** Pulls under way, by engine and image, so that any number of tasks that want an image cost one pull. */
const pulls = new WeakMap<Docker, Map<string, Promise<void>>>();

/**
 * Makes sure that an image is on the host and returns its id. A local one is never pulled again.
 *
 * @throws ImageUnavailable when the registry has no such image or does not answer
 */
export async function ensureImage(
  docker: Docker,
  name: string,
  onProgress: (event: PullEvent) => void = () => {},
): Promise<string> {
  const local = await localImage(docker, name);
  if (local !== undefined) {
    return local;
  }
  const underway = pulls.get(docker) ?? new Map<string, Promise<void>>();
  pulls.set(docker, underway);
  const pull = underway.get(name) ?? pullImage(docker, name, onProgress).finally(() => underway.delete(name));
  underway.set(name, pull);
  await pull;
  const pulled = await localImage(docker, name);
  if (pulled === undefined) {
    throw new ImageUnavailable(name, 'it was pulled, but the engine does not have it');
  }
  return pulled;
}

export async function localImage(docker: Docker, name: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(name).inspect()).Id;
  } catch (error) {
    if (engineStatus(error) === 404 || engineStatus(error) === 400) {
      return undefined;
    }
    throw error;
  }
}

async function pullImage(
  docker: Docker,
  name: string,
  onProgress: (event: PullEvent) => void,
): Promise<void> {
  let stream: Readable;
  try {
    stream = (await docker.pull(withTag(name))) as Readable;
  } catch (error) {
    throw new ImageUnavailable(name, engineMessage(error));
  }
  for await (const line of createInterface({ input: stream })) {
    const event = PullEvent.parse(JSON.parse(line));
    if (event.error !== undefined) {
      throw new ImageUnavailable(name, event.error);
    }
    onProgress(event);
  }
}

/** Without a tag the engine's API would pull every tag of the repository. */
function withTag(name: string): string {
  return /(:[^/]+|@[^/]+)$/.test(name) ? name : `${name}:latest`;
}

export class ImageUnavailable extends Error {
  constructor(name: string, reason: string) {
    super(`The image "${name}" is not on this host and could not be pulled: ${reason}`);
    this.name = 'ImageUnavailable';
  }
}
