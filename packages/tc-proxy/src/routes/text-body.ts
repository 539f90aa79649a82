import type { FastifyInstance } from 'fastify';

/** Makes this plugin's routes take any body as text, whatever its Content-Type says, up to `maxBytes`. */
export function takeTextBodies(app: FastifyInstance, maxBytes: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: maxBytes }, (_, body, done) =>
    done(null, body),
  );
  app.addHook('onRequest', async (request) => {
    // Fastify refuses types that it cannot parse, and clients of the original sent all kinds.
    request.raw.headers['content-type'] = 'text/plain';
  });
}
