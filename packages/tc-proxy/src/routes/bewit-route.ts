import { errorBody, signUrl } from '@docker-worker/service-kit';
import type { FastifyInstance } from 'fastify';
import type { CredentialHolder } from '../signing/credential-holder.ts';
import { takeTextBodies } from './text-body.ts';

const maxUrlBytes = 64 * 1024;

/** `POST /bewit`: answers with the URL in the body, signed for an hour, both as Location and as text. */
export async function bewitRoute(app: FastifyInstance, { credentials }: { credentials: CredentialHolder }) {
  takeTextBodies(app, maxUrlBytes);
  app.addHook('onRequest', async (_, reply) => {
    const { debugHeaders } = credentials.current;
    for (let index = 0; index < debugHeaders.length; index += 2) {
      reply.header(debugHeaders[index] as string, debugHeaders[index + 1]);
    }
  });

  app.post('/bewit', async (request, reply) => {
    const url = signUrl(String(request.body ?? '').trim(), credentials.current);
    if (url === undefined) {
      const message = 'the body must be an absolute http or https URL without user name';
      return reply.code(400).send(errorBody('InputError', message, 'POST'));
    }
    return reply.code(303).header('Location', url).type('text/plain').send(url);
  });
}
