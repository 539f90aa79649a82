import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { dockerWorker } from '../harness/command.ts';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { anonymousRole, documentedWorker, makeAnonymousRole, poolRole } from '../harness/documented-roles.ts';
import { makeTinyImage } from '../harness/images/tiny-image.ts';
import { publishArtifact } from '../harness/publish-artifact.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { startTestWorker } from '../harness/test-worker.ts';
import { writeConfig } from '../harness/write-config.ts';

/** A role that gives a task the right to a cache. */
const role = 'assume:project:e2e:cached';

async function makeCacheRole({ local }: Deployment): Promise<void> {
  const { rootUrl, credentials } = local;
  await new taskcluster.Auth({ rootUrl, credentials }).createRole('project:e2e:cached', {
    description: 'for tasks',
    scopes: ['docker-worker:cache:kept'],
  });
}

test('with the documented roles a worker does all that tasks ask for, and is refused nothing', async () => {
  await using deployment = await startDeployment({ anonymous: false });
  await using folder = await makeTempDir();
  const credentials = await documentedWorker(deployment);
  await Promise.all([makeAnonymousRole(deployment), makeCacheRole(deployment)]);
  const { archive } = await makeTinyImage('documented');
  await publishArtifact(deployment, 'public/image.tar', archive, { namespace: 'images.documented' });
  const asked: string[] = [];
  const refused: string[] = [];
  deployment.local.onRequest(({ path, status }) => {
    asked.push(path);
    if (status === 401 || status === 403) refused.push(`${status} ${path}`);
  });
  await using worker = await startTestWorker(deployment, {
    taskcluster: credentials,
    cache: { volumeCachePath: folder.path },
  });
  const image = { type: 'indexed-image', namespace: 'images.documented', path: 'public/image.tar' };
  const cached = { cache: { kept: '/kept' }, command: ['true'] };
  const first = await deployment.createTask(cached, { scopes: [role] });
  expect((await worker.outcome(first)).resolution.kind).toBe('completed');
  const tasks = await Promise.all([
    deployment.createTask(cached, { scopes: [role] }),
    deployment.createTask({ image, command: ['cat', '/marker'] }),
    deployment.createTask({ features: { taskclusterProxy: true }, command: ['true'] }),
  ]);

  for (const taskId of tasks) {
    expect((await worker.outcome(taskId)).resolution.kind).toBe('completed');
  }
  const calls = [
    /\/claim-work\//,
    /scopes\/expand/,
    /\/purge-cache\//,
    /index\/v1\/task/,
    /artifacts\/public/,
  ];
  expect(calls.filter((call) => !asked.some((path) => call.test(path)))).toEqual([]);
  expect(refused).toEqual([]);
});

test('in a new deployment, where nobody has made a role, tasks run all the same', async () => {
  await using deployment = await startDeployment({ anonymous: false });
  await using folder = await makeTempDir();
  await makeCacheRole(deployment);
  const credentials = await claimingWorker(deployment);
  await using worker = await startTestWorker(deployment, {
    taskcluster: credentials,
    cache: { volumeCachePath: folder.path },
  });
  const cache = { kept: '/kept' };
  const artifacts = { 'public/a': { type: 'file', path: '/etc/hostname' } };
  const plain = await deployment.createTask({ command: ['true'], artifacts });
  const proxied = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: ['sh', '-c', 'curl -fsS $TASKCLUSTER_PROXY_URL/api/queue/v1/ping'],
  });
  const cached = await deployment.createTask(
    { cache, command: ['true'] },
    { scopes: ['docker-worker:cache:kept'] },
  );
  const byRole = await deployment.createTask({ cache, command: ['true'] }, { scopes: [role], retries: 0 });

  for (const taskId of [plain, proxied, cached]) {
    expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'completed' });
  }
  expect((await worker.outcome(byRole)).resolution).toEqual({ kind: 'exception', reason: 'worker-shutdown' });
  expect(await deployment.taskLog(byRole)).toContain(
    `its credentials lack the scope auth:expand-scopes; its operator has to grant it to ${credentials.clientId}`,
  );
});

test.each(poolRole.scopes)(
  'check --online says what does not work without %s of the role of the pool',
  async (scope) => {
    await using deployment = await startDeployment({ anonymous: false });
    await makeAnonymousRole(deployment);

    const { code, stdout } = await check(deployment, await documentedWorker(deployment, scope));

    expect(problemsIn(stdout)).toEqual([
      expect.stringMatching(/ lack the scope \S+\. Without it .*\. Grant it to worker-client, /),
    ]);
    expect(stdout).toContain(scope.replace('*', ''));
    expect(code).toBe(1);
  },
);

test.each(anonymousRole.scopes)(
  'check --online says what does not work without %s of the role of everybody',
  async (scope) => {
    await using deployment = await startDeployment({ anonymous: false });
    const scopes = anonymousRole.scopes.filter((other) => other !== scope);
    await makeAnonymousRole(deployment, scopes);

    const { stdout } = await check(deployment, await documentedWorker(deployment));

    expect(problemsIn(stdout)).toEqual([
      expect.stringContaining(
        `The role "anonymous" of the deployment, which is everybody's, lacks the scope ${scope}. `,
      ),
    ]);
  },
);

test('check --online finds nothing missing when the documented roles are there', async () => {
  await using deployment = await startDeployment({ anonymous: false });
  await makeAnonymousRole(deployment);

  const { code, stdout } = await check(deployment, await documentedWorker(deployment));

  expect(problemsIn(stdout)).toEqual([]);
  expect(code).toBe(0);
});

test('check --online in a new deployment says which scope is missing, and not that credentials are to be renewed', async () => {
  await using deployment = await startDeployment({ anonymous: false });

  const { stdout } = await check(deployment, await claimingWorker(deployment));

  const lacking = problemsIn(stdout).map((problem) => / the scope (\S+)\. /.exec(problem)?.[1]);
  expect(lacking).toEqual([
    'auth:expand-scopes',
    'purge-cache:purge-requests::test/e2e',
    ...anonymousRole.scopes,
  ]);
  expect(stdout).not.toContain('renew');
});

function problemsIn(output: string): string[] {
  return output.split('\n').filter((line) => line.startsWith('problem: '));
}

async function check(deployment: Deployment, credentials: object) {
  await using folder = await makeTempDir();
  const config = await writeConfig(folder.path, deployment, { taskcluster: credentials, metadata: 'allow' });
  return await dockerWorker('check', '--online', '--config', config);
}

/** May claim, and nothing else. */
async function claimingWorker({ local }: Deployment) {
  const { rootUrl, credentials } = local;
  const { clientId, accessToken } = await new taskcluster.Auth({ rootUrl, credentials }).createClient(
    'claiming-client',
    {
      description: 'a worker',
      expires: taskcluster.fromNowJSON('1 hour'),
      scopes: ['queue:claim-work:test/e2e', 'queue:worker-id:*'],
    },
  );
  return { clientId, accessToken };
}
