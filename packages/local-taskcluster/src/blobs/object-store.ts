import { ApiError } from '../errors.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';
import type { BlobStore } from './blob-store.ts';

export interface StoredObject {
  projectId: string;
  uploadId: string;
  expires: string;
  hashes: Record<string, string>;
  blobId: string;
  finished: boolean;
}

const DOWNLOAD_LIFE_MS = 30 * 60_000;

/** Named objects, each written once in an upload. */
export class ObjectStore {
  readonly #objects: Collection<StoredObject>;
  readonly #blobs: BlobStore;

  constructor(database: Database, blobs: BlobStore) {
    this.#objects = new Collection(database, 'object');
    this.#blobs = blobs;
  }

  /** Starts an upload or continues the one with this uploadId. Throws RequestConflict for any other. */
  beginUpload(name: string, upload: Pick<StoredObject, 'projectId' | 'uploadId' | 'expires'>): StoredObject {
    const existing = this.#objects.get(name);
    if (existing) {
      const isSame =
        existing.uploadId === upload.uploadId &&
        existing.projectId === upload.projectId &&
        existing.expires === upload.expires;
      if (!isSame || existing.finished) {
        throw new ApiError('RequestConflict', 'Object already exists');
      }
      return existing;
    }
    const object = { ...upload, hashes: {}, blobId: this.#blobs.newId(), finished: false };
    this.#objects.put(name, object);
    return object;
  }

  /** Hashes may be added, and never changed. */
  addHashes(name: string, object: StoredObject, hashes: Record<string, string>): void {
    for (const [algorithm, hash] of Object.entries(hashes)) {
      if (object.hashes[algorithm] !== undefined && object.hashes[algorithm] !== hash) {
        throw new ApiError('RequestConflict', `Object already has another ${algorithm} hash`);
      }
    }
    this.#objects.put(name, { ...object, hashes: { ...object.hashes, ...hashes } });
  }

  /** Repeating it is fine. Throws ResourceNotFound or RequestConflict. */
  finishUpload(
    name: string,
    upload: Pick<StoredObject, 'projectId' | 'uploadId'>,
    hashes: Record<string, string>,
  ): void {
    const object = this.#objects.get(name);
    if (!object) throw new ApiError('ResourceNotFound', 'Object not found');
    if (object.uploadId !== upload.uploadId || object.projectId !== upload.projectId) {
      throw new ApiError('RequestConflict', 'Object is of another upload or project');
    }
    if (!this.#blobs.has(object.blobId)) {
      throw new ApiError('RequestConflict', 'Nothing has been uploaded yet');
    }
    this.addHashes(name, { ...object, finished: true }, hashes);
  }

  /** A finished object. Throws ResourceNotFound. */
  get(name: string): StoredObject {
    const object = this.#objects.get(name);
    if (!object?.finished) throw new ApiError('ResourceNotFound', 'Object not found');
    return object;
  }

  downloadUrl(name: string): { url: string; expires: Date } {
    const expires = new Date(Date.now() + DOWNLOAD_LIFE_MS);
    return { url: this.#blobs.getUrl(this.get(name).blobId, expires), expires };
  }
}
