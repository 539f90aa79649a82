import { z } from 'zod';
import { contentType, datetime } from '../fields.ts';

const contentLength = z.int().min(0).optional();

/** What createArtifact accepts, by storage type. */
export const artifactRequest = z.discriminatedUnion('storageType', [
  z.strictObject({ storageType: z.literal('s3'), expires: datetime, contentType, contentLength }),
  z.strictObject({ storageType: z.literal('object'), expires: datetime, contentType, contentLength }),
  z.strictObject({ storageType: z.literal('reference'), expires: datetime, contentType, url: z.url() }),
  z.strictObject({
    storageType: z.literal('link'),
    expires: datetime,
    contentType: contentType.optional(),
    artifact: z.string(),
  }),
  z.strictObject({
    storageType: z.literal('error'),
    expires: datetime,
    message: z.string().max(4096),
    reason: z.enum([
      'file-missing-on-worker',
      'invalid-resource-on-worker',
      'too-large-file-on-worker',
      'file-not-readable-on-worker',
    ]),
  }),
]);

export type ArtifactRequest = z.infer<typeof artifactRequest>;
