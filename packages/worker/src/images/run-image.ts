import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import { registryCredentials } from '../config/registry-credentials.ts';
import { ensureImage, type PullEvent } from '../engine/ensure-image.ts';
import { withTag } from '../engine/image-reference.ts';
import type { Payload } from '../payload/payload.ts';
import { ownWords } from '../queue/refusal-text.ts';
import { TaskId } from '../queue/task-id.ts';
import type { Run } from '../run/run.ts';
import { isPublic } from './artifact-path.ts';
import { imagesOfHost } from './images-of-host.ts';
import {
  ensureTaskImage,
  type LoadEvent,
  type LoadedImage,
  type TaskImage,
  taskImageNames,
} from './task-image.ts';

const progressLineMs = 5_000;

const IndexedTask = z.looseObject({ taskId: TaskId });

/**
 * Makes sure that the image which a payload names is on the host; what happens is told in the run's log. Its
 * wait ends with the run's signal, and the work for it unless another run waits as well.
 */
export async function runImage(run: Run, { image }: Payload): Promise<LoadedImage> {
  if (typeof image === 'string') {
    return await namedImage(run, image);
  }
  switch (image.type) {
    case 'docker-image':
      return await namedImage(run, image.name);
    case 'task-image':
      return await taskImage(run, image);
    case 'indexed-image':
      return await taskImage(run, { taskId: await findTask(run, image.namespace), path: image.path });
  }
}

async function namedImage(run: Run, name: string): Promise<LoadedImage> {
  const { engine, config, parts } = run.host;
  const images = parts.of(imagesOfHost);
  run.resources.use(images.hold(withTag(name)));
  const hash = await ensureImage(engine.docker, name, {
    credentials: registryCredentials(config, name),
    pull: config.dockerConfig.pull,
    backOff: config.dockerConfig,
    answerMs: config.dockerConfig.pullAnswerSeconds * 1000,
    signal: run.signal,
    onEvent: pullProgress(run),
    onPulled: () => images.fetched([withTag(name)]),
    onRetry: (error, pauseMs) =>
      run.log.worker(`${error.message}; trying again in ${Math.round(pauseMs / 1000)} s.`),
    onKept: ({ message }) => run.log.worker(`${message}. The one on this host is used.`),
  });
  return { hash };
}

async function taskImage(run: Run, image: TaskImage): Promise<LoadedImage> {
  const { engine, config, parts } = run.host;
  const images = parts.of(imagesOfHost);
  run.resources.use(images.hold(taskImageNames(image)[0] ?? ''));
  const loaded = await ensureTaskImage(engine.docker, image, {
    limits: config.dockerConfig,
    signal: run.signal,
    url() {
      const queue = run.queue();
      return isPublic(image.path)
        ? queue.buildUrl(queue.getLatestArtifact, image.taskId, image.path)
        : queue.buildSignedUrl(queue.getLatestArtifact, image.taskId, image.path);
    },
    onEvent: loadProgress(run, image),
  });
  await images.fetched(taskImageNames(image, loaded.artifactHash));
  run.log.worker(
    // Two spaces, as tools that read logs know it.
    `Image '${image.path}' from task '${image.taskId}' loaded.  Using image ID ${loaded.hash}.`,
  );
  return loaded;
}

/** Asked with no more than the task's own scopes. */
async function findTask(run: Run, namespace: string): Promise<string> {
  const index = new taskcluster.Index({
    rootUrl: run.host.config.rootUrl,
    credentials: run.credentials,
    authorizedScopes: run.task.scopes,
  });
  try {
    return IndexedTask.parse(await index.findTask(namespace)).taskId;
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string };
    const reason = statusCode === 404 ? 'there is none' : ownWords(message);
    throw new Error(`Could not find a task associated with "${namespace}" in the index: ${reason}`);
  }
}

/** The beginning and end of each layer, in the words of the log format; Docker's own words for the whole. */
function pullProgress({ log, host }: Run): (event: PullEvent) => void {
  const started = new Map<string, number>();
  return (event) => {
    host.onPull?.(event);
    const { id, status } = event;
    if (status === undefined) {
      return;
    }
    if (id === undefined) {
      log.raw(`${status}\r\n`);
    } else if (status === 'Downloading' && !started.has(id)) {
      started.set(id, Date.now());
      log.raw(`${id} - Started downloading\r\n`);
    } else if (status === 'Download complete') {
      const seconds = (Date.now() - (started.get(id) ?? Date.now())) / 1000;
      log.raw(`${id} - Downloaded in ${seconds} seconds\r\n`);
    }
  };
}

function loadProgress({ log, host }: Run, { path }: TaskImage): (event: LoadEvent) => void {
  let told = Date.now();
  return (event) => {
    if (event.kind === 'line') {
      log.worker(event.text);
      return;
    }
    const { current, total } = event;
    host.onPull?.({ id: path, status: 'Downloading', progressDetail: { current, total } });
    if (total !== undefined && current < total && Date.now() - told >= progressLineMs) {
      told = Date.now();
      log.worker(`Download Progress: ${((100 * current) / total).toFixed(2)}%`);
    }
  };
}
