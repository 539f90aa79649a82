import type { FastifyInstance } from 'fastify';
import { CloudError } from '../cloud-error.ts';
import type { CloudState } from '../cloud-state.ts';
import { list, matching } from '../list.ts';

interface ById {
  Params: { id: string };
  Querystring: { search?: string };
}

/** Devices, their labels, and the filter by labels. */
export function deviceRoutes(app: FastifyInstance, { devices }: CloudState): void {
  app.get<ById>('/label-groups', ({ query: { search } }) =>
    list(
      matching(devices.groups, search).map(({ labels: _, ...group }) => group),
      search,
    ),
  );

  app.get<ById>('/label-groups/:id/labels', ({ params, query: { search } }) => {
    const group = devices.groups.find(({ id }) => id === Number(params.id));
    if (!group) throw new CloudError(404, `Label group with id ${params.id} not found`);
    return list(matching(group.labels, search), search);
  });

  app.get<{ Querystring: Record<string, string | string[] | undefined> }>('/devices', ({ query }) => {
    const ids = [query['label_id[]'] ?? []].flat().flatMap((text) => text.split(','));
    if (ids.some((id) => !/^\d+$/.test(id))) throw new CloudError(400, 'label_id[] is not a list of numbers');
    return list(devices.withLabels(ids.map(Number)).map((device) => devices.view(device)));
  });

  app.get<ById>('/devices/:id', ({ params }) => devices.view(devices.get(Number(params.id))));

  app.get<ById>('/devices/:id/properties', ({ params }) =>
    list(devices.labelsOf(devices.get(Number(params.id)))),
  );
}
