import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, type ReadStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { newSlugid } from '../slugid.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

export interface BlobHeaders {
  contentType: string;
  contentEncoding?: string | undefined;
}

interface Blob extends BlobHeaders {
  /** Of the file that holds the bytes: each upload writes a new one, so that readers never see a mix. */
  file: string;
}

export interface OpenBlob extends BlobHeaders {
  contentLength: number;
  stream: ReadStream;
}

export interface BlobStoreOptions {
  database: Database;
  /** Bytes are kept here; without it in a temporary directory that goes away with the store. */
  dataDir: string | undefined;
  rootUrl(): string;
}

/** Files, and URLs to put and get them, as an S3 bucket has them. */
export class BlobStore implements AsyncDisposable {
  readonly #blobs: Collection<Blob>;
  readonly #dataDir: string | undefined;
  readonly #rootUrl: () => string;
  readonly #signingKey: string;
  #folder: string | undefined;

  constructor({ database, dataDir, rootUrl }: BlobStoreOptions) {
    this.#blobs = new Collection(database, 'blob');
    this.#dataDir = dataDir;
    this.#rootUrl = rootUrl;
    this.#signingKey = signingKey(database);
  }

  /** An identifier for bytes that are yet to come. */
  newId(): string {
    return newSlugid();
  }

  /** A URL that allows a PUT with this content type until `expires`. */
  putUrl(id: string, contentType: string, expires: Date): string {
    return this.#signedUrl('put', id, expires, contentType);
  }

  /** A URL that allows a GET until `expires`. */
  getUrl(id: string, expires: Date): string {
    return this.#signedUrl('get', id, expires, '');
  }

  /** Whether a URL's path was signed here for this use and is still valid. */
  isSigned(method: 'put' | 'get', id: string, expires: number, token: string, contentType = ''): boolean {
    const expected = Buffer.from(this.#token(method, id, expires, contentType));
    const given = Buffer.from(token);
    return given.length === expected.length && timingSafeEqual(given, expected) && Date.now() < expires;
  }

  /** Replaces the bytes once all of them are there. Nothing is kept of an upload that breaks off. */
  async write(id: string, headers: BlobHeaders, bytes: Readable): Promise<void> {
    const file = newSlugid();
    const path = join(this.#directory(), file);
    try {
      await pipeline(bytes, createWriteStream(`${path}.part`, { flags: 'wx', mode: 0o600 }));
      await rename(`${path}.part`, path);
    } catch (error) {
      await rm(`${path}.part`, { force: true });
      throw error;
    }
    const previous = this.#blobs.get(id);
    this.#blobs.put(id, { ...headers, file });
    if (previous) await rm(join(this.#directory(), previous.file), { force: true });
  }

  has(id: string): boolean {
    return this.#blobs.get(id) !== undefined;
  }

  /** Of what has been uploaded, as it was encoded then. */
  async size(id: string): Promise<number | undefined> {
    const blob = this.#blobs.get(id);
    return blob && (await stat(join(this.#directory(), blob.file))).size;
  }

  /** Undefined when nothing has been uploaded. */
  async open(id: string): Promise<OpenBlob | undefined> {
    const blob = this.#blobs.get(id);
    if (!blob) return undefined;
    const path = join(this.#directory(), blob.file);
    const { size } = await stat(path);
    const { contentType, contentEncoding } = blob;
    return { contentType, contentEncoding, contentLength: size, stream: createReadStream(path) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#dataDir === undefined && this.#folder !== undefined) {
      // An upload that has just been cut may still be making its file.
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  #signedUrl(method: string, id: string, expires: Date, contentType: string): string {
    const token = this.#token(method, id, expires.getTime(), contentType);
    return `${this.#rootUrl()}/blobs/${id}/${expires.getTime()}/${token}`;
  }

  #token(method: string, id: string, expires: number, contentType: string): string {
    return createHmac('sha256', this.#signingKey)
      .update([method, id, expires, contentType].join('\n'))
      .digest('base64url');
  }

  #directory(): string {
    if (this.#folder === undefined) {
      if (this.#dataDir === undefined) {
        this.#folder = mkdtempSync(join(tmpdir(), 'local-taskcluster-'));
      } else {
        this.#folder = join(this.#dataDir, 'blobs');
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      }
    }
    return this.#folder;
  }
}

/** URLs stay valid across restarts. */
function signingKey(database: Database): string {
  const keys = new Collection<string>(database, 'signing-key');
  const kept = keys.get('blobs');
  if (kept !== undefined) return kept;
  const key = randomBytes(32).toString('base64url');
  keys.put('blobs', key);
  return key;
}
