import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import type { Run } from '../run/run.ts';

const ScopeSet = z.looseObject({ scopes: z.array(z.string()) });

/** The scopes of a run's task with its `assume:` roles expanded, by the auth service. */
export async function expandScopes({ task, host: { config } }: Run): Promise<string[]> {
  const auth = new taskcluster.Auth({ rootUrl: config.rootUrl, credentials: config.taskcluster });
  return ScopeSet.parse(await auth.expandScopes({ scopes: task.scopes })).scopes;
}
