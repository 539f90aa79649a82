import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../errors.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';
import type { ArtifactRequest } from './artifact-request.ts';
import type { Changes } from './changes.ts';
import { statusOf, type TaskRecord } from './task-record.ts';

interface ArtifactBase {
  name: string;
  contentType: string;
  contentLength?: number;
  expires: string;
}

export type StoredS3 = ArtifactBase & { storageType: 's3'; details: { blobId: string } };
export type StoredObject = ArtifactBase & {
  storageType: 'object';
  details: { uploadId: string };
  /** Set by finishArtifact; until then nobody sees it. */
  finished: boolean;
};
export type StoredReference = ArtifactBase & { storageType: 'reference'; details: { url: string } };
export type StoredLink = ArtifactBase & { storageType: 'link'; details: { artifact: string } };
export type StoredError = ArtifactBase & {
  storageType: 'error';
  details: { reason: string; message: string };
};

export type Artifact = StoredS3 | StoredObject | StoredReference | StoredLink | StoredError;

/** What a link leads to in the end. */
export type Content = Exclude<Artifact, StoredLink>;

const DEFAULT_CONTENT_TYPE = 'application/binary';
const MINUTE_MS = 60_000;
const EXPIRED_TOLERANCE_MS = 15 * MINUTE_MS;
const AFTER_EXCEPTION_MS = 25 * MINUTE_MS;

/** Identifiers of the bytes behind new artifacts. */
export interface ArtifactIds {
  blobId(): string;
  uploadId(): string;
}

/** Files and other outcomes that runs leave behind, by `<taskId>/<runId>/<name>`. */
export class Artifacts {
  readonly collection: Collection<Artifact>;
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #ids: ArtifactIds;

  constructor(database: Database, changes: Changes, ids: ArtifactIds) {
    this.collection = new Collection(database, 'artifact');
    this.#database = database;
    this.#changes = changes;
    this.#ids = ids;
  }

  /** Undefined while an object's upload is not finished. */
  find(taskId: string, runId: number, name: string): Artifact | undefined {
    const artifact = this.collection.get(artifactKey(taskId, runId, name));
    return artifact && isPresent(artifact) ? artifact : undefined;
  }

  /**
   * Creates or repeats an artifact. Throws InputError for a run no worker has had or a wrong expiry, and
   * RequestConflict when the run is over or the name is taken by something else.
   */
  create(record: TaskRecord, runId: number, name: string, request: ArtifactRequest): Artifact {
    checkExpiry(record, request.expires);
    checkRun(record, runId);
    const key = artifactKey(record.taskId, runId, name);
    return this.#database.transaction(() => {
      const existing = this.collection.get(key);
      const artifact = this.#artifactOf(name, request, existing);
      if (existing && !mayReplace(existing, artifact)) {
        const { storageType, contentType, expires } = existing;
        throw new ApiError(
          'RequestConflict',
          'Artifact already exists with different properties, and none of the allowed exceptions apply: ' +
            JSON.stringify({ storageType, contentType, expires }),
        );
      }
      this.collection.put(key, artifact);
      this.#changes.tell();
      return artifact;
    });
  }

  /** Throws InputError when there is no such upload. */
  finish(taskId: string, runId: number, name: string, uploadId: string): void {
    const key = artifactKey(taskId, runId, name);
    const artifact = this.collection.get(key);
    if (!artifact) throw new ApiError('ResourceNotFound', 'Artifact not found');
    if (artifact.storageType !== 'object') {
      throw new ApiError('InputError', 'Only artifacts of storage type `object` are finished');
    }
    if (artifact.details.uploadId !== uploadId) {
      throw new ApiError('InputError', 'The uploadId is not that of the artifact');
    }
    this.collection.put(key, { ...artifact, finished: true });
    this.#changes.tell();
  }

  /** Follows links within the run. `mayRead` is called with every name on the way before it is looked up. */
  follow(taskId: string, runId: number, name: string, mayRead: (names: string[]) => void): Content {
    const names: string[] = [];
    for (let next = name; ; ) {
      names.push(next);
      mayRead(names);
      const artifact = this.find(taskId, runId, next);
      if (!artifact) throw new ApiError('ResourceNotFound', 'Artifact not found');
      if (new Date(artifact.expires) < new Date()) throw new ApiError('ResourceExpired', 'Artifact expired');
      if (artifact.storageType !== 'link') return artifact;
      next = artifact.details.artifact;
      if (names.includes(next)) throw new ApiError('InputError', 'Artifact leads to a link cycle');
    }
  }

  #artifactOf(name: string, request: ArtifactRequest, existing: Artifact | undefined): Artifact {
    const { expires } = request;
    const contentType = ('contentType' in request && request.contentType) || DEFAULT_CONTENT_TYPE;
    const contentLength = 'contentLength' in request ? request.contentLength : undefined;
    const base = { name, contentType, expires, ...(contentLength !== undefined && { contentLength }) };
    switch (request.storageType) {
      case 's3': {
        const blobId = existing?.storageType === 's3' ? existing.details.blobId : this.#ids.blobId();
        return { ...base, storageType: 's3', details: { blobId } };
      }
      case 'object':
        return {
          ...base,
          storageType: 'object',
          details: { uploadId: this.#ids.uploadId() },
          finished: false,
        };
      case 'reference':
        return { ...base, storageType: 'reference', details: { url: request.url } };
      case 'link':
        return { ...base, storageType: 'link', details: { artifact: request.artifact } };
      case 'error':
        return {
          ...base,
          storageType: 'error',
          details: { reason: request.reason, message: request.message },
        };
    }
  }
}

/** Where an artifact is kept in the object service. */
export function objectName(taskId: string, runId: number, name: string): string {
  return `t/${taskId}/${runId}/${name}`;
}

function artifactKey(taskId: string, runId: number, name: string): string {
  return `${taskId}/${runId}/${name}`;
}

/** As in lists: where the content is stays out of it. */
export function artifactInfo({ name, storageType, contentType, contentLength, expires }: Artifact): object {
  return { name, storageType, contentType, expires, ...(contentLength !== undefined && { contentLength }) };
}

export function isPresent(artifact: Artifact): boolean {
  return artifact.storageType !== 'object' || artifact.finished;
}

/** A later expiry is always fine; beside that only references change: their url, or into a link. */
function mayReplace(old: Artifact, artifact: Artifact): boolean {
  if (artifact.storageType !== 'link' && old.contentType !== artifact.contentType) return false;
  if (new Date(old.expires) > new Date(artifact.expires)) return false;
  if (old.storageType === artifact.storageType) {
    return old.storageType === 'reference' || isDeepStrictEqual(old.details, artifact.details);
  }
  return old.storageType === 'reference' && artifact.storageType === 'link';
}

function checkExpiry({ task }: TaskRecord, expires: string): void {
  if (new Date(expires).getTime() < Date.now() - EXPIRED_TOLERANCE_MS) {
    throw new ApiError('InputError', 'Expires must be in the future');
  }
  if (new Date(expires) > new Date(task.expires)) {
    throw new ApiError(
      'InputError',
      `Artifact expires (${expires}) after the task expiration ${task.expires} - this is not allowed`,
    );
  }
}

/** The log of a run that ended in an exception may come late, for whoever reports first and uploads then. */
function checkRun(record: TaskRecord, runId: number): void {
  const run = record.runs[runId];
  if (!run) throw new ApiError('InputError', 'Run not found');
  if (run.workerGroup === undefined || run.workerId === undefined) {
    throw new ApiError('InputError', 'Run was not claimed by a worker and so no artifacts can exist');
  }
  if (run.state === 'running') return;
  const resolved = new Date(run.resolved ?? 0).getTime();
  if (run.state === 'exception' && resolved > Date.now() - AFTER_EXCEPTION_MS) return;
  throw new ApiError(
    'RequestConflict',
    'Artifacts cannot be created for a task after it is resolved, unless it is resolved `exception`, and even ' +
      `in this case only up to 25 min past resolution.\n\nTask status: ${JSON.stringify(statusOf(record), null, 2)}`,
  );
}
