import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CloudState } from '../cloud-state.ts';
import { list, matching } from '../list.ts';
import { parsed } from '../parsed.ts';
import type { ProjectRun } from '../runs.ts';

interface ByRun {
  Params: { project: string; run: string; parameter: string };
}

const NewRun = z.object({ projectId: z.coerce.number().int() });
const NewParameter = z.object({ key: z.string().min(1), value: z.coerce.string() });
const Start = z.object({ usedDeviceIds: z.array(z.coerce.number().int()) });

/** Projects and their runs. */
export function runRoutes(app: FastifyInstance, { runs, devices }: CloudState): void {
  app.get<{ Querystring: { search?: string } }>('/me/projects', ({ query: { search } }) =>
    list(
      matching(runs.projects, search).map(({ parameters: _, ...project }) => project),
      search,
    ),
  );

  app.post('/runs', ({ body }, reply) => {
    reply.code(201);
    return view(runs.create(parsed(NewRun, body).projectId));
  });

  app.get<ByRun>('/me/projects/:project/runs/:run', ({ params }) => view(ofProject(params)));
  app.get<ByRun>('/me/projects/:project/runs/:run/config', ({ params }) => {
    const { id, parameters } = ofProject(params);
    return { id, scheduler: 'PARALLEL', timeout: 0, parameters };
  });
  app.get<ByRun>('/runs/:run/config/parameters', ({ params }) => list(get(params).parameters));
  app.post<ByRun>('/me/projects/:project/runs/:run/config/parameters', ({ params, body }, reply) => {
    const { key, value } = parsed(NewParameter, body);
    reply.code(201);
    return runs.addParameter(ofProject(params), key, value);
  });
  app.delete<ByRun>(
    '/me/projects/:project/runs/:run/config/parameters/:parameter',
    async ({ params }, reply) => {
      runs.removeParameter(ofProject(params), Number(params.parameter));
      return reply.code(204).send();
    },
  );
  app.post<ByRun>('/runs/:run/start', ({ params, body }) => {
    const run = get(params);
    runs.start(run, parsed(Start, body).usedDeviceIds);
    return view(run);
  });
  app.post<ByRun>('/runs/:run/abort', ({ params }) => {
    const run = get(params);
    runs.abort(run);
    return view(run);
  });
  app.get<ByRun>('/runs/:run/device-runs', ({ params }) =>
    list(get(params).deviceRuns.map((run) => ({ ...run, device: devices.view(run.device) }))),
  );

  function get({ run }: ByRun['Params']): ProjectRun {
    return runs.get(Number(run));
  }

  function ofProject({ run, project }: ByRun['Params']): ProjectRun {
    return runs.get(Number(run), Number(project));
  }
}

/** As the API shows a run. */
function view({ parameters: _, deviceRuns, ...run }: ProjectRun) {
  return { ...run, displayName: `Test Run ${run.id}`, deviceCount: deviceRuns.length };
}
