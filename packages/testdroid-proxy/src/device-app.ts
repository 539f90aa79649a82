import { createServiceApp, type Logger } from '@docker-worker/service-kit';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Borrowed } from './acquire.ts';
import type { Borrowing } from './borrowing.ts';
import { CloudError } from './cloud/cloud-error.ts';
import { Capabilities, type Devices } from './cloud/devices.ts';
import { openApiDocument } from './open-api.ts';

export interface DeviceAppOptions {
  borrowing: Borrowing;
  devices: Devices;
  /** Default: the host that the cloud names. */
  proxyHost: string | undefined;
  version: string;
  logger: Logger;
}

/** Time for a question to the cloud that a client waits for. */
const questionMs = 60_000;

/** The routes that a task sees at `http://testdroid`. */
export function createDeviceApp(options: DeviceAppOptions): FastifyInstance {
  const { borrowing, devices, version, logger } = options;
  const app = createServiceApp();

  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      statusCode: 404,
      error: 'Not Found',
      message: `nothing is at ${request.method} ${request.url.split('?')[0]}`,
    }),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error.statusCode !== undefined && error.statusCode < 500)
      return reply
        .code(error.statusCode)
        .send({ statusCode: error.statusCode, error: 'Bad Request', message: error.message });
    if (!(error instanceof CloudError)) logger.error({ err: error, url: request.url }, 'a request failed');
    return reply.code(500).send({ error: `Error: ${error.message}` });
  });

  app.get('/', () => 'Server running');
  app.get('/openapi.json', () => openApiDocument(version));
  app.get('/devices', () => devices.all(AbortSignal.timeout(questionMs)));

  app.get('/device', () => {
    const { state } = borrowing;
    return state.state === 'held' ? { ...state, ...answer(state) } : state;
  });

  app.post<{ Querystring: { wait?: string } }>('/device', async (request, reply) => {
    const parsed = Capabilities.safeParse(request.body ?? {});
    if (!parsed.success) return reply.code(400).send(refusal(parsed.error));
    if (borrowing.isTaken) {
      const message = 'there is a device session already, or one is being made; release it first';
      const { state } = borrowing;
      return reply.code(409).send({
        statusCode: 409,
        error: 'Conflict',
        message,
        ...(state.state === 'held' ? answer(state) : state),
      });
    }
    const borrowed = borrowing.borrow(parsed.data);
    if (request.query.wait === '0') {
      borrowed.catch((error: Error) => logger.warn({ err: error }, 'no device could be borrowed'));
      return reply.code(202).send(borrowing.state);
    }
    const onClose = () => {
      if (!reply.raw.writableFinished) borrowing.cancel('the client has left');
    };
    reply.raw.once('close', onClose);
    const phone = await borrowed;
    // It may have left while the last answer of the cloud was on its way.
    if (reply.raw.destroyed) await borrowing.release();
    return answer(phone);
  });

  app.post('/device/release', async (_, reply) => {
    const released = await borrowing.release();
    return released ? 'Device released' : reply.code(400).send('No device session to release');
  });

  app.get('/device/properties', (_, reply) => {
    const { state } = borrowing;
    return state.state === 'held'
      ? devices.properties(state.device.id, AbortSignal.timeout(questionMs))
      : reply.code(400).send({ statusCode: 400, error: 'Bad Request', message: 'No device session' });
  });

  function answer({ session, device, proxies }: Borrowed) {
    return { session, device, proxies, proxyHost: options.proxyHost ?? proxies.adb.host };
  }

  return app;
}

/** As the original's framework told it. */
function refusal(error: z.ZodError) {
  const keys = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.')],
  );
  const message = error.issues
    .map(({ path, message: text }) => (path.length === 0 ? text : `${path.join('.')}: ${text}`))
    .join('; ');
  return { statusCode: 400, error: 'Bad Request', message, validation: { source: 'payload', keys } };
}
