import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { errorBody, type Logger, ServiceError } from '@docker-worker/service-kit';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CredentialHolder } from '../signing/credential-holder.ts';
import { takeTextBodies } from './text-body.ts';

const maxBodyBytes = 1024 * 1024;

/** What clients of the original send: other keys are ignored, and null means no certificate. */
const CredentialsBody = z.object({
  clientId: z.string(),
  accessToken: z.string(),
  certificate: z
    .string()
    .nullish()
    .transform((text) => text ?? undefined),
});

/** `PUT /credentials`: replaces the credentials as a whole, at once, whatever is in flight. */
export async function credentialsRoute(
  app: FastifyInstance,
  { credentials, logger }: { credentials: CredentialHolder; logger: Logger },
) {
  takeTextBodies(app, maxBodyBytes);
  app.addHook('onListen', async () => rehearse(app));
  app.put('/credentials', async (request, reply) => {
    const body = CredentialsBody.safeParse(parsedJson(request.body));
    try {
      if (!body.success)
        throw new ServiceError('the body must be JSON with clientId, accessToken and certificate, all texts');
      credentials.replace(body.data);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return reply.code(400).send(errorBody('InputError', error.message, 'PUT'));
    }
    logger.info('credentials replaced through the data port');
    return reply.code(200).send();
  });
}

/**
 * Goes through the route once, with what it refuses: code and schemas are compiled when they are first used, for which
 * whoever is the first to replace credentials should not wait.
 */
function rehearse(app: FastifyInstance): void {
  const body = JSON.stringify({ clientId: '', accessToken: '' });
  const request = new IncomingMessage(new Socket());
  Object.assign(request, {
    ...{ method: 'PUT', url: '/credentials' },
    headers: { 'content-length': String(body.length) },
  });
  request.push(body);
  request.push(null);
  app.routing(request, new ServerResponse(request));
}

function parsedJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
