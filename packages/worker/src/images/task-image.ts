import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { errorText } from '../artifacts/error-text.ts';
import type { RetryLimits } from '../async/retry.ts';
import { type Participation, SharedOperations } from '../async/shared-operations.ts';
import { engineStatus } from '../engine/engine.ts';
import { compressionOf } from './artifact-path.ts';
import { decompress } from './decompress.ts';
import { openDownload } from './download.ts';
import { InvalidArchive } from './invalid-archive.ts';
import type { Platform } from './oci-layout.ts';
import { type ArchiveLimits, retaggedArchive } from './retagged-archive.ts';
import { sendToEngine } from './send-to-engine.ts';

export interface TaskImage {
  taskId: string;
  /** Name of the artifact, which says how the image is compressed. */
  path: string;
}

/** What an image is, and what it was loaded from. */
export interface LoadedImage {
  /** The engine's id of it. */
  hash: string;
  /** `sha256:<hex>` of the artifact; unknown when the image was not loaded by this kind of worker. */
  artifactHash?: string;
}

export type LoadEvent =
  | { kind: 'line'; text: string }
  | { kind: 'progress'; current: number; total?: number };

export interface LoadOptions extends Participation<LoadEvent> {
  limits: RetryLimits & ArchiveLimits;
  /** Where the artifact is; asked for each connection, so that a signature in it is fresh. */
  url(): string;
}

const progressMs = 500;
const mebibyte = 1024 * 1024;

/** Loads under way, by engine, so that any number of tasks that want an image cost one. */
const loads = new WeakMap<Docker, SharedOperations<LoadEvent, LoadedImage>>();

/**
 * Makes sure that an image which another task has made is on the host. It is known there under a name of its
 * own, whatever its archive says; a local one is never loaded again.
 *
 * @throws ArtifactUnavailable
 * @throws InvalidArchive
 */
export async function ensureTaskImage(
  docker: Docker,
  image: TaskImage,
  options: LoadOptions,
): Promise<LoadedImage> {
  const repository = repositoryOf(image);
  const local = await localTaskImage(docker, repository);
  if (local !== undefined) {
    return local;
  }
  const shared = loads.get(docker) ?? new SharedOperations<LoadEvent, LoadedImage>();
  loads.set(docker, shared);
  return await shared.join(
    repository,
    (tell, signal) => load(docker, image, { ...options, tell, signal }),
    options,
  );
}

interface Load extends LoadOptions {
  tell(event: LoadEvent): void;
  signal: AbortSignal;
}

/** Everything happens at once: bytes go from the server to the engine, and to no disk in between. */
async function load(
  docker: Docker,
  image: TaskImage,
  { limits, url, tell, signal }: Load,
): Promise<LoadedImage> {
  const say = (text: string) => tell({ kind: 'line', text });
  const repository = repositoryOf(image);
  say(`Downloading artifact "${image.path}" from task ID: ${image.taskId}.`);
  const platform = await platformOf(docker);
  const { bytes, contentEncoding, length } = await opened(image, { limits, url, signal, say });
  const hash = createHash('sha256');
  const progress = { current: 0, total: length };
  const ticking = setInterval(() => tell({ kind: 'progress', ...progress }), progressMs);
  try {
    const artifact = hashed(decompress(counted(bytes), contentEncoding === 'gzip' ? 'gzip' : 'none'));
    const compression = compressionOf(image.path) ?? 'none';
    const reference = `${repository}:latest`;
    const archive = retaggedArchive(decompress(artifact, compression), { reference, platform, limits, say });
    await sendToEngine(docker, archive, signal);
  } finally {
    clearInterval(ticking);
  }
  const artifactHash = `sha256:${hash.digest('hex')}`;
  const loaded = await localTaskImage(docker, repository);
  if (loaded === undefined) {
    throw new InvalidArchive('the engine has loaded it, but does not have the image');
  }
  // A name that says what it was made from: it is known for as long as the image itself.
  await docker.getImage(loaded.hash).tag({ repo: repository, tag: artifactHash.replace(':', '-') });
  return { hash: loaded.hash, artifactHash };

  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      progress.current += chunk.length;
      yield chunk;
    }
    say('Downloaded artifact successfully.');
    say(`Downloaded ${(progress.current / mebibyte).toFixed(3)} mb over the wire`);
    if (!image.path.endsWith('.tar')) {
      say('Decompressing downloaded image');
    }
    say('Loading docker image from downloaded archive.');
  }

  async function* hashed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  }
}

async function opened(
  image: TaskImage,
  { limits, url, signal, say }: Pick<Load, 'limits' | 'url' | 'signal'> & { say(text: string): void },
) {
  const onRetry = (error: Error, pauseMs: number) =>
    say(
      `The download was interrupted (${errorText(error)}); trying again in ${Math.round(pauseMs / 1000)} s.`,
    );
  const download = await openDownload(url, { backOff: limits, signal, onRetry }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new ArtifactUnavailable(image, error);
  });
  const { contentEncoding = 'identity' } = download;
  if (contentEncoding !== 'identity' && contentEncoding !== 'gzip') {
    throw new InvalidArchive(`its content encoding ${contentEncoding} is not known`);
  }
  return { ...download, bytes: explained(download.bytes) };

  async function* explained(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* bytes;
    } catch (error) {
      signal.throwIfAborted();
      throw new ArtifactUnavailable(image, error);
    }
  }
}

async function platformOf(docker: Docker): Promise<Platform> {
  const { Os: os, Arch: architecture } = await docker.version();
  return { os, architecture };
}

async function localTaskImage(docker: Docker, repository: string): Promise<LoadedImage | undefined> {
  try {
    const { Id, RepoTags } = await docker.getImage(`${repository}:latest`).inspect();
    const made = RepoTags?.find((tag) => tag.startsWith(`${repository}:sha256-`));
    return { hash: Id, artifactHash: made?.slice(repository.length + 1).replace('-', ':') };
  } catch (error) {
    if (engineStatus(error) === 404) {
      return undefined;
    }
    throw error;
  }
}

/** What the engine calls the image: it is asked for by the first; the second tells what it was made from. */
export function taskImageNames(image: TaskImage, artifactHash?: string): string[] {
  const repository = repositoryOf(image);
  const made = artifactHash === undefined ? [] : [`${repository}:${artifactHash.replace(':', '-')}`];
  return [`${repository}:latest`, ...made];
}

/** Under which name the image is known on every worker. */
function repositoryOf({ taskId, path }: TaskImage): string {
  return createHash('md5')
    .update(taskId + path)
    .digest('hex');
}

class ArtifactUnavailable extends Error {
  constructor({ taskId, path }: TaskImage, cause: unknown) {
    super(`Could not download artifact "${path}" from task ${taskId}: ${errorText(cause)}`, { cause });
    this.name = 'ArtifactUnavailable';
  }
}
