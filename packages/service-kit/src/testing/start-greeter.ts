import Fastify from 'fastify';
import { z } from 'zod';
import { Credentials } from '../control/control.ts';
import { Port, serviceConfigShape } from '../options/service-config.ts';
import { listen } from '../server/listen.ts';
import type { RunningService, ServiceContext } from '../service/service.ts';
import { ServiceError } from '../service-error.ts';

export const config = z.strictObject({
  ...serviceConfigShape,
  port: Port.default(0),
  greeting: z.string(),
  credentials: Credentials,
  names: z.array(z.string()).optional(),
  isLoud: z.boolean().default(false),
});

export async function start(given: z.infer<typeof config>, context: ServiceContext): Promise<RunningService> {
  let { credentials } = given;
  const app = Fastify({ logger: false });
  app.get('/', () => ({ ...given, credentials: undefined, by: credentials.clientId }));
  app.get('/slow', (_, reply) => {
    reply.hijack();
    reply.raw.writeHead(200).write('begun');
    setTimeout(() => reply.raw.end(', done'), 200);
  });
  app.get('/hang', (_, reply) => {
    reply.hijack();
    reply.raw.writeHead(200).write('begun');
  });
  app.get('/log', async () => {
    context.logger.info(
      { credentials, url: 'https://example.com/a?bewit=abc' },
      `token ${credentials.accessToken}`,
    );
    // What a careless library might do.
    console.log('printed');
    return 'logged';
  });
  app.get('/crash', () => {
    setImmediate(() => {
      throw new Error(`crashed with ${credentials.accessToken}`);
    });
    return 'soon';
  });
  const port = await listen(app, given.port, '127.0.0.1');
  context.announce(`Serving on port ${port}`);
  return {
    port,
    applyCredentials(next) {
      if (next.clientId === 'unwanted') throw new ServiceError('this client is not wanted');
      credentials = next;
    },
    drain: async () => {
      await app.close();
    },
    destroy: () => app.server.closeAllConnections(),
  };
}
