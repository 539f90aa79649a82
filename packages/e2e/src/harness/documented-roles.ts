import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import taskcluster from 'taskcluster-client';
import type { Deployment } from './deployment.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/deployment-scopes.md'), 'utf8');
const exampledPool = /proj-example\/linux/g;

interface Role {
  description: string;
  scopes: string[];
}

/** The roles that the documentation has an administrator make, for the pool `test/e2e`. */
export const [poolRole, anonymousRole] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(
  ([, json = '']) => JSON.parse(json.replace(exampledPool, 'test/e2e')) as Role,
) as [Role, Role];

/** Makes a client that has the documented role of the pool and nothing else; `without` is left out of that. */
export async function documentedWorker({ local }: Deployment, without?: string) {
  const { rootUrl, credentials } = local;
  const auth = new taskcluster.Auth({ rootUrl, credentials });
  const scopes = poolRole.scopes.filter((scope) => scope !== without);
  await auth.createRole('worker-pool:test/e2e', { ...poolRole, scopes });
  const { clientId, accessToken } = await auth.createClient('worker-client', {
    description: 'a worker',
    expires: taskcluster.fromNowJSON('1 hour'),
    scopes: ['assume:worker-pool:test/e2e'],
  });
  return { clientId, accessToken };
}

export async function makeAnonymousRole({ local }: Deployment, scopes = anonymousRole.scopes): Promise<void> {
  const { rootUrl, credentials } = local;
  await new taskcluster.Auth({ rootUrl, credentials }).createRole('anonymous', { ...anonymousRole, scopes });
}
