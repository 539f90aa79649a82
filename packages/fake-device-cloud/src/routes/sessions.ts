import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { CloudError } from '../cloud-error.ts';
import type { CloudState } from '../cloud-state.ts';
import { list } from '../list.ts';
import type { Session } from '../sessions.ts';

const NewSession = z.object({
  deviceModelId: z.coerce.number().int(),
  timeout: z.coerce.number().positive().default(3_600),
});

const Where = z.object({ type: z.string().optional(), sessionId: z.number() });

interface ById {
  Params: { id: string };
}

/** Sessions on devices, and how they are reached: by the old proxy plugin or by connections. */
export function sessionRoutes(app: FastifyInstance, state: CloudState): void {
  const { sessions } = state;

  app.get('/me/device-sessions', () => list(sessions.all.map((session) => sessions.view(session))));

  app.post('/me/device-sessions', (request, reply) => {
    const body = NewSession.safeParse(request.body);
    if (!body.success) throw new CloudError(400, 'deviceModelId is required');
    reply.code(201);
    return sessions.view(sessions.create(body.data.deviceModelId, body.data.timeout));
  });

  app.get<ById>('/me/device-sessions/:id', ({ params }) => sessions.view(sessions.get(Number(params.id))));

  app.post<ById>('/me/device-sessions/:id/release', ({ params }) =>
    sessions.view(sessions.release(Number(params.id))),
  );

  app.get<ById>('/me/device-sessions/:id/connections', ({ params }) => {
    const session = sessions.get(Number(params.id));
    return list(
      reachable(session).map((type, index) => ({
        ...{ id: session.id * 10 + index, type: type.toUpperCase(), createTime: session.createTime },
        ...{ password: null, url: `tcp://${hostOf(session)}:${portOf(session, type)}` },
      })),
    );
  });

  // The plugin answers with a plain array.
  app.get<{ Querystring: { where?: string } }>('/proxy-plugin/proxies', ({ query }) => {
    if (!state.proxyPlugin) throw new CloudError(404, 'Not found');
    const where = Where.safeParse(parseJson(query.where));
    if (!where.success) throw new CloudError(400, 'where is not valid');
    const { type, sessionId } = where.data;
    const session = sessions.get(sessionId);
    return reachable(session)
      .filter((known) => type === undefined || known === type)
      .map((known) => ({
        ...{ id: session.id * 10, type: known, sessionId, host: hostOf(session) },
        ...{ port: portOf(session, known), serialId: `${session.device.id}`.padStart(8, 'f') },
      }));
  });

  function reachable({ state: sessionState, createTime }: Session): string[] {
    const isThere = sessionState === 'RUNNING' && Date.now() - createTime >= state.proxyDelayMs;
    return isThere ? state.proxyTypes : [];
  }
}

/** An address for documentation: nothing answers there. */
function hostOf({ id }: Session): string {
  return `192.0.2.${(id % 250) + 1}`;
}

function portOf({ id }: Session, type: string): number {
  return (type === 'adb' ? 20_000 : 30_000) + (id % 1_000);
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
