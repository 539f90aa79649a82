import { Slots } from '../async/slots.ts';
import type { ArtifactDeclaration } from '../payload/artifact-declaration.ts';
import { type ArchiveSource, NotInContainer, openFollowed } from './archive.ts';
import type { ArtifactDestination } from './destination.ts';
import { FileUploads } from './file-uploads.ts';
import { createArtifact } from './storage/create-artifact.ts';
import { uploadDirectory } from './upload-directory.ts';

/**
 * Uploads what the payload declares from a container that has exited. An artifact that is missing, or is not
 * what it was declared to be, becomes an `error` artifact and fails nothing. All others are tried to the end;
 * then a failed upload rejects with {@link UploadsFailed}. An abort rejects at once with the signal's reason.
 */
export async function uploadArtifacts(
  container: ArchiveSource,
  artifacts: Record<string, ArtifactDeclaration>,
  destination: ArtifactDestination,
): Promise<void> {
  const files = new FileUploads(destination, Object.keys(artifacts));
  const archives = new Slots(destination.concurrency ?? 8);
  await Promise.all(
    Object.entries(artifacts).map(async ([name, declared]) => {
      using _slot = await archives.take();
      try {
        await uploadArtifact(container, name, declared, destination, files);
      } catch (error) {
        files.report(name, error);
      }
    }),
  );
  destination.signal.throwIfAborted();
  if (files.errors.length > 0) {
    throw new UploadsFailed(files.outage, files.errors);
  }
}

export class UploadsFailed extends Error {
  /** The storage or the queue could not be reached: another run may succeed. */
  readonly outage: boolean;

  constructor(outage: boolean, errors: unknown[]) {
    super('Encountered error when uploading artifact(s)', { cause: new AggregateError(errors) });
    this.name = 'UploadsFailed';
    this.outage = outage;
  }
}

async function uploadArtifact(
  container: ArchiveSource,
  name: string,
  { type, path, expires: ownExpires }: ArtifactDeclaration,
  destination: ArtifactDestination,
  files: FileUploads,
): Promise<void> {
  const { taskExpires, log, signal } = destination;
  const expires = utc(ownExpires ?? taskExpires);

  async function errorArtifact(reason: string, message: string): Promise<void> {
    const properties = { storageType: 'error', expires, reason, message: message.slice(0, 4096) };
    await createArtifact(destination, name, signal, properties);
  }

  try {
    await using archive = await openFollowed(container, path, signal);
    const { type: actual } = archive.root.header;
    if (actual !== type) {
      const message = `Error uploading "${name}". Expected artifact to be a "${type}" but was "${actual}"`;
      log.error(message);
      await errorArtifact('invalid-resource-on-worker', message);
    } else if (actual === 'directory') {
      const directory = { name, path: archive.path, expires };
      const unnamed = await uploadDirectory(directory, archive, container, destination, files);
      if (unnamed.length > 0) {
        const message = `These files have names that no artifact can have, and were not uploaded: ${unnamed.join(', ')}`;
        await errorArtifact('invalid-resource-on-worker', message);
      }
    } else {
      const { uploaded } = await files.start([name], expires, archive.root);
      await uploaded;
    }
  } catch (error) {
    if (!(error instanceof NotInContainer)) {
      throw error;
    }
    const message = `Artifact "${name}" not found at "${path}": ${error.message}`;
    log.worker(message);
    await errorArtifact('file-missing-on-worker', message);
  }
}

/** Payloads may write times in ways that the queue does not take. */
function utc(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toJSON();
}
