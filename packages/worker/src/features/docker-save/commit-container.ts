import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type Docker from 'dockerode';
import { unlessAborted } from '../../async/unless-aborted.ts';
import { wholeArchive } from '../../containers/container-archive.ts';
import { entryPointOf } from '../../containers/image-command.ts';
import { savingRepository } from '../../containers/sweep.ts';
import { type Engine, engineStatus } from '../../engine/engine.ts';
import { removedOrLost } from '../../engine/engine-lost.ts';
import { label, type Owner } from '../../ownership/labels.ts';
import { ownerTag } from '../../ownership/owner-tag.ts';

/** An image of the engine that is gone when it is disposed of, as far as nobody else has named it. */
export interface CommittedImage extends AsyncDisposable {
  /** As `docker save` writes it, under the names that were asked for. */
  archive(signal: AbortSignal): Promise<Readable>;
}

/**
 * Makes an image of a container that has exited, under those names.
 *
 * @param command the task's own; empty for that of its image
 */
export async function commitContainer(
  engine: Engine,
  containerId: string,
  owner: Owner,
  { names, command }: { names: readonly string[]; command: readonly string[] },
  signal: AbortSignal,
): Promise<CommittedImage> {
  const { docker } = engine;
  await using making = new AsyncDisposableStack();
  const tag = ownerTag(owner);
  const removed = (name: string) =>
    docker
      .getImage(name)
      .remove()
      .catch((error: unknown) => {
        if (engineStatus(error) !== 404) {
          throw error;
        }
      });
  const remove = (name: string) => removedOrLost(engine, () => removed(name));
  const changes = [
    // An image takes over its container's labels, and nothing but an empty value can be put in their place.
    `LABEL ${Object.values(label)
      .map((key) => `${key}=""`)
      .join(' ')}`,
    ...(await ownCommand(docker, containerId, command)),
  ].join('\n');
  const committing = docker
    .getContainer(containerId)
    .commit({ repo: savingRepository, tag, comment: owner.taskRun, changes });
  making.defer(async () => {
    // The engine goes on with what has been asked for, also when nobody waits for it any more.
    await committing.catch(() => {});
    await remove(`${savingRepository}:${tag}`);
  });
  await unlessAborted(signal, committing);
  const image = docker.getImage(`${savingRepository}:${tag}`);
  for (const name of names) {
    making.defer(() => remove(name));
    const [repo = '', nameTag = ''] = name.split(':');
    await image.tag({ repo, tag: nameTag });
  }
  const made = making.move();
  return {
    archive: async (archiveSignal) => wholeArchive(await savedImages(docker, names, archiveSignal)),
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** What ran the command of an interactive task was only lent to its container. */
async function ownCommand(
  docker: Docker,
  containerId: string,
  command: readonly string[],
): Promise<string[]> {
  const container = await docker.getContainer(containerId).inspect();
  const image = (await docker.getImage(container.Image).inspect()).Config;
  const own = entryPointOf(image);
  if (isDeepStrictEqual(entryPointOf(container.Config), own)) {
    return [];
  }
  return [
    // No entry point would be the container's; engines take this one for none.
    `ENTRYPOINT ${JSON.stringify(own.length > 0 ? own : [''])}`,
    // After it, since another entry point takes the command away.
    `CMD ${JSON.stringify(command.length > 0 ? command : (image.Cmd ?? []))}`,
  ];
}

/** dockerode's own call takes one name only. */
function savedImages(docker: Docker, names: readonly string[], signal: AbortSignal): Promise<Readable> {
  const request = {
    path: '/images/get?',
    method: 'GET',
    options: { names },
    isStream: true,
    abortSignal: signal,
    statusCodes: { 200: true, 404: 'no such image', 500: 'server error' },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(request, (error: unknown, stream: unknown) =>
      error ? reject(error) : resolve(stream as Readable),
    );
  });
}
