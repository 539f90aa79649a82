import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { BlobStore } from './blob-store.ts';

const PATH = '/blobs/:id/:expires/:token';

interface BlobPath {
  id: string;
  expires: string;
  token: string;
}

/** What S3 does for Taskcluster: signed URLs to put and get bytes. */
export function addBlobRoutes(app: FastifyInstance, blobs: BlobStore): void {
  app.register(async (scoped) => {
    scoped.removeAllContentTypeParsers();
    // Bodies are handed over as streams, however long they are.
    scoped.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    scoped.put<{ Params: BlobPath; Body: Readable | undefined }>(PATH, async (request, reply) => {
      const { id, expires, token } = request.params;
      const { 'content-type': contentType = '', 'content-encoding': contentEncoding } = request.headers;
      if (!blobs.isSigned('put', id, Number(expires), token, contentType)) {
        return refuse(reply, 403, 'The URL has expired or was signed for another content-type');
      }
      if (request.headers['content-length'] === undefined) {
        return refuse(reply, 411, 'A content-length header is needed');
      }
      await blobs.write(id, { contentType, contentEncoding }, request.body ?? request.raw);
      return reply.code(200).send('');
    });

    scoped.get<{ Params: BlobPath }>(PATH, async (request, reply) => {
      const { id, expires, token } = request.params;
      if (!blobs.isSigned('get', id, Number(expires), token)) {
        return refuse(reply, 403, 'The URL has expired or is not valid');
      }
      const blob = await blobs.open(id);
      if (!blob) return refuse(reply, 404, 'Nothing has been uploaded here');
      reply.header('content-type', blob.contentType).header('content-length', blob.contentLength);
      if (blob.contentEncoding !== undefined) reply.header('content-encoding', blob.contentEncoding);
      return reply.send(blob.stream);
    });
  });
}

function refuse(reply: FastifyReply, status: number, sentence: string): FastifyReply {
  return reply.code(status).type('text/plain').send(`${sentence}\n`);
}
