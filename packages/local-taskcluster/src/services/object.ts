import { Readable } from 'node:stream';
import { z } from 'zod';
import { seeOther } from '../api/answer.ts';
import { endpoint, type Service } from '../api/endpoint.ts';
import { healthEndpoints } from '../api/health.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { ObjectStore } from '../blobs/object-store.ts';
import { ApiError } from '../errors.ts';
import { contentType, datetime, projectId, slugid } from '../fields.ts';

const PUT_LIFE_MS = 45 * 60_000;

const hashes = z
  .looseObject({
    sha256: z
      .string()
      .regex(/^[a-z0-9]{64}$/)
      .optional(),
    sha512: z
      .string()
      .regex(/^[a-z0-9]{128}$/)
      .optional(),
  })
  .transform((given) => given as Record<string, string>);

const createUploadRequest = z.strictObject({
  projectId,
  uploadId: slugid,
  expires: datetime,
  hashes: hashes.optional(),
  proposedUploadMethods: z.strictObject({
    dataInline: z.strictObject({ contentType, objectData: z.base64().max(10_926) }).optional(),
    putUrl: z.strictObject({ contentType, contentLength: z.int() }).optional(),
  }),
});

export function objectService(objects: ObjectStore, blobs: BlobStore): Service {
  async function upload(
    blobId: string,
    { dataInline, putUrl }: z.infer<typeof createUploadRequest>['proposedUploadMethods'],
  ): Promise<object> {
    if (dataInline) {
      const bytes = Buffer.from(dataInline.objectData, 'base64');
      await blobs.write(blobId, { contentType: dataInline.contentType }, Readable.from([bytes]));
      return { dataInline: true };
    }
    if (!putUrl) return {};
    const expires = new Date(Date.now() + PUT_LIFE_MS);
    const headers = {
      'content-type': putUrl.contentType,
      'content-length': String(putUrl.contentLength),
    };
    const url = blobs.putUrl(blobId, putUrl.contentType, expires);
    return { putUrl: { url, expires: expires.toJSON(), headers } };
  }

  return {
    name: 'object',
    endpoints: [
      ...healthEndpoints(),
      endpoint({
        name: 'createUpload',
        method: 'put',
        route: '/upload/<name>',
        scopes: 'object:upload:<projectId>:<name>',
        scopeParameters: ({ body }) => ({ projectId: body.projectId }),
        input: createUploadRequest,
        secretKeys: ['proposedUploadMethods'],
        async handle({ params: { name }, body }) {
          const { projectId, uploadId, expires, proposedUploadMethods } = body;
          const object = objects.beginUpload(name, { projectId, uploadId, expires });
          if (body.hashes) objects.addHashes(name, object, body.hashes);
          const uploadMethod = await upload(object.blobId, proposedUploadMethods);
          return { projectId, uploadId, expires, uploadMethod };
        },
      }),
      endpoint({
        name: 'finishUpload',
        method: 'post',
        route: '/finish-upload/<name>',
        scopes: 'object:upload:<projectId>:<name>',
        scopeParameters: ({ body }) => ({ projectId: body.projectId }),
        input: z.strictObject({ projectId, uploadId: slugid, hashes: hashes.optional() }),
        handle({ params: { name }, body }) {
          objects.finishUpload(name, body, body.hashes ?? {});
          return undefined;
        },
      }),
      endpoint({
        name: 'startDownload',
        method: 'put',
        route: '/start-download/<name>',
        scopes: 'object:download:<name>',
        input: z.strictObject({
          acceptDownloadMethods: z.strictObject({
            simple: z.literal(true).optional(),
            getUrl: z.literal(true).optional(),
          }),
        }),
        handle({ params: { name }, body: { acceptDownloadMethods } }) {
          const { url, expires } = objects.downloadUrl(name);
          if (acceptDownloadMethods.getUrl) {
            const { hashes: known } = objects.get(name);
            return { method: 'getUrl', url, expires: expires.toJSON(), hashes: known };
          }
          if (acceptDownloadMethods.simple) return { method: 'simple', url };
          throw new ApiError('InputError', 'None of the accepted download methods is known here');
        },
      }),
      endpoint({
        name: 'object',
        method: 'get',
        route: '/metadata/<name>',
        scopes: 'object:download:<name>',
        handle({ params: { name } }) {
          const { projectId, expires, hashes: known } = objects.get(name);
          return { projectId, expires, hashes: known };
        },
      }),
      endpoint({
        name: 'download',
        method: 'get',
        route: '/download/<name>',
        scopes: 'object:download:<name>',
        handle: ({ params: { name } }) => seeOther(objects.downloadUrl(name).url),
      }),
    ],
  };
}
