import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { CloudError } from './cloud-error.ts';
import { type CloudSettings, CloudState } from './cloud-state.ts';
import { parseForm } from './form.ts';
import { controlRoutes } from './routes/control.ts';
import { deviceRoutes } from './routes/devices.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { runRoutes } from './routes/runs.ts';
import { sessionRoutes } from './routes/sessions.ts';

export interface FakeDeviceCloudOptions extends CloudSettings {
  /** Address to listen on; default 127.0.0.1. */
  host?: string;
  /** Default: a free one. */
  port?: number;
}

export interface FakeDeviceCloud extends AsyncDisposable {
  /** With a slash at its end, as the original clients want it. */
  url: string;
  /** What the cloud knows, to look at and to change. */
  state: CloudState;
}

/**
 * A cloud of phones with Testdroid's API, version 2: devices, labels, sessions, proxies, project runs. It
 * keeps state, and it fails and dawdles on request, by `state` or by the routes below `/control`.
 */
export async function startFakeDeviceCloud(options: FakeDeviceCloudOptions = {}): Promise<FakeDeviceCloud> {
  const { host = '127.0.0.1', port = 0, ...settings } = options;
  const state = new CloudState(settings);
  const app = createApp(state);
  const address = await app.listen({ host, port });
  return {
    url: `${address}/`,
    state,
    async [Symbol.asyncDispose]() {
      state.sessions.close();
      state.runs.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

function createApp(state: CloudState): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: FastifyRequest, body: string) => parseForm(body),
  );
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    async (_: FastifyRequest, body: string) => parseJson(body),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, _, reply) => {
    const statusCode = error.statusCode ?? 500;
    return reply.code(statusCode).send({ statusCode, message: error.message });
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ statusCode: 404, message: 'Not found' }));
  app.register(async (control) => controlRoutes(control, state), { prefix: '/control' });
  app.register(async (real) => {
    real.addHook('preHandler', async (request, reply) => {
      note(state, request);
      const fault = state.faults.meet(request.method, pathOf(request));
      if (fault?.delayMs !== undefined) await delay(fault.delayMs);
      if (fault?.hangUp) return reply.hijack().raw.destroy();
      if (fault?.status !== undefined)
        return reply.code(fault.status).send(fault.body ?? { statusCode: fault.status, message: 'a fault' });
      if (fault?.loseAnswer) {
        reply.raw.write = () => true;
        reply.raw.end = () => reply.raw.destroy();
        reply.raw.writeHead = () => reply.raw;
      }
    });
    real.addHook('onResponse', async () => state.changed());
    oauthRoutes(real, state);
    real.register(
      async (api) => {
        api.addHook('preHandler', async ({ headers }) => state.accounts.check(headers.authorization));
        deviceRoutes(api, state);
        sessionRoutes(api, state);
        runRoutes(api, state);
      },
      { prefix: '/api/v2' },
    );
  });
  return app;
}

function note(state: CloudState, { method, url, headers, body }: FastifyRequest): void {
  state.requests.push({ method, url, scheme: headers.authorization?.split(' ')[0], body });
  state.changed();
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

/** Clients announce JSON and send nothing, as with the release of a session. */
function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new CloudError(400, 'the body is not JSON');
  }
}
