import { request } from 'undici';
import { z } from 'zod';
import { ForeignAnswer } from '../../queue/until-answered.ts';
import { createArtifact } from './create-artifact.ts';
import type { Spooled } from './spool.ts';
import type { ArtifactProperties, ArtifactRun, ArtifactStorage } from './storage.ts';

const Created = z.looseObject({ storageType: z.literal('s3'), putUrl: z.url() });

/** The queue hands out a signed URL, and one PUT stores the bytes. Anything but 200 is a failure. */
export const s3Storage: ArtifactStorage = { keepsEncoding: true, store };

async function store(
  run: ArtifactRun,
  artifact: ArtifactProperties,
  content: Spooled,
  signal?: AbortSignal,
): Promise<void> {
  const answer = await createArtifact(run, artifact.name, signal, {
    storageType: 's3',
    expires: artifact.expires,
    contentType: artifact.contentType,
  });
  const { putUrl } = Created.parse(answer);
  const { statusCode, body } = await request(putUrl, {
    method: 'PUT',
    headers: {
      'content-type': artifact.contentType,
      'content-length': String(content.length),
      ...(content.gzipped ? { 'content-encoding': 'gzip' } : {}),
    },
    body: content.open(),
    signal,
  });
  if (statusCode === 200) {
    // The storage itself has nothing to say.
    if ((await body.text()) !== '') {
      throw new ForeignAnswer();
    }
    return;
  }
  throw new StorageError(statusCode, errorCode(await body.text()));
}

/** The storage refused the bytes. The URL stays out of the message: its signature is a secret. */
class StorageError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, code: string | undefined) {
    super(`the storage answered ${statusCode}${code === undefined ? '' : ` (${code})`} instead of 200`);
    this.name = 'StorageError';
    this.statusCode = statusCode;
  }
}

function errorCode(xml: string): string | undefined {
  return /<Code>(\w{1,64})<\/Code>/.exec(xml)?.[1];
}
