import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CloudState } from '../cloud-state.ts';
import { DeviceDescription } from '../device-description.ts';
import { Fault } from '../faults.ts';
import { parsed } from '../parsed.ts';

const DeviceState = z.strictObject({ online: z.boolean().optional(), locked: z.boolean().optional() });

const Behaviour = z.strictObject({
  /** `null`: runs never get their turn. */
  waitMs: z.number().min(0).nullable().optional(),
  flashMs: z.number().min(0).optional(),
  rebootMs: z.number().min(0).optional(),
  outcome: z.enum(['SUCCEEDED', 'FAILED']).optional(),
  proxyDelayMs: z.number().min(0).optional(),
  proxyPlugin: z.boolean().optional(),
  proxyTypes: z.array(z.string()).optional(),
});

const Expiry = z.strictObject({ refresh: z.boolean().default(false) });

/** How a person, or a program in another process, makes the cloud behave. Nobody has to say who they are. */
export function controlRoutes(app: FastifyInstance, state: CloudState): void {
  const { devices, sessions, runs, faults, accounts } = state;

  app.get('/state', () => ({
    devices: devices.all.map((device) => ({
      ...devices.view(device),
      labels: Object.fromEntries(
        devices
          .labelsOf(device)
          .map(({ propertyGroupName, displayName }) => [propertyGroupName, displayName]),
      ),
    })),
    sessions: sessions.all.map((session) => sessions.view(session)),
    runs: runs.all.map(({ deviceRuns, ...run }) => ({
      ...run,
      deviceRuns: deviceRuns.map(({ device, runStatus }) => ({ device: device.id, runStatus })),
    })),
    granted: accounts.granted,
  }));

  app.post('/devices', ({ body }) => devices.view(devices.add(parsed(DeviceDescription, body))));

  app.patch<{ Params: { id: string } }>('/devices/:id', ({ params, body }) => {
    const device = devices.get(Number(params.id));
    Object.assign(device, parsed(DeviceState, body));
    state.changed();
    return devices.view(device);
  });

  app.patch('/behaviour', ({ body }) => {
    const { proxyDelayMs, proxyPlugin, proxyTypes, waitMs, ...flash } = parsed(Behaviour, body);
    state.proxyDelayMs = proxyDelayMs ?? state.proxyDelayMs;
    state.proxyPlugin = proxyPlugin ?? state.proxyPlugin;
    state.proxyTypes = proxyTypes ?? state.proxyTypes;
    runs.behaviour = {
      ...runs.behaviour,
      ...flash,
      ...(waitMs === undefined ? {} : { waitMs: waitMs ?? undefined }),
    };
    return { ...runs.behaviour, ...{ proxyDelayMs: state.proxyDelayMs, proxyTypes: state.proxyTypes } };
  });

  app.post('/faults', ({ body }, reply) => {
    faults.add(parsed(Fault, body));
    return reply.code(204).send();
  });

  app.delete('/faults', (_, reply) => {
    faults.clear();
    return reply.code(204).send();
  });

  app.post('/expire-tokens', ({ body }, reply) => {
    accounts.expire(parsed(Expiry, body ?? {}).refresh);
    return reply.code(204).send();
  });
}
