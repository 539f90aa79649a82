import { startRelengapiStandIn } from '@docker-worker/relengapi-proxy/testing/relengapi-stand-in';
import { bridgeGateway } from '@docker-worker/worker';
import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { startTestWorker } from '../harness/test-worker.ts';

const prefix = 'docker-worker:relengapi-proxy:';

/** A task that waits for this file can be looked at. */
const signal = '/tmp/look-is-over';

/** A RelengAPI that containers reach, and the worker's settings for it. */
async function startRelengapi() {
  const standIn = await startRelengapiStandIn({ host: await bridgeGateway(docker) });
  const settings = {
    relengAPIProxy: {
      issuingToken: standIn.issuingToken,
      routes: [
        {
          prefix: '/',
          upstream: standIn.url,
          auth: { provider: 'relengapi-tmp-token', issuer: `${standIn.url}/tokenauth/tokens` },
        },
      ],
    },
  };
  return { standIn, settings };
}

test('a task downloads an internal file at http://relengapi, through the redirect, without seeing a token', async () => {
  const { standIn, settings } = await startRelengapi();
  await using _standIn = standIn;
  const digest = standIn.store(Buffer.from('the internal file\n'), 'internal');
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings);
  const taskId = await deployment.createTask(
    {
      features: { relengAPIProxy: true },
      command: [
        'bash',
        '-c',
        `env; curl --silent --show-error --fail --location http://relengapi/tooltool/sha512/${digest}
         curl --silent --write-out 'status %{http_code}\\n' http://relengapi/tooltool/sha512/${'0'.repeat(128)}
         echo looked; until [ -e ${signal} ]; do sleep 0.1; done`,
      ],
    },
    { scopes: [`${prefix}tooltool.download.internal`, `${prefix}tooltool.manage`] },
  );
  const run = await worker.run(taskId);
  for await (const chunk of run.log.read()) {
    if (chunk.includes('looked')) break;
  }
  const containers = await runContainers(`${taskId}/0`);
  const sidecar = docker.getContainer(containers.get('sidecar:relengapi-proxy')?.Id ?? '');
  const inspected = JSON.stringify(await sidecar.inspect());
  const exec = await docker.getContainer(containers.get('task')?.Id ?? '').exec({ Cmd: ['touch', signal] });
  await exec.start({});

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });

  const log = await deployment.taskLog(taskId);
  expect(log).toContain('the internal file');
  expect(log).toContain('status 404');
  expect(log).toContain(
    `relengAPIProxy: the scope ${prefix}tooltool.manage gives nothing: only tooltool.download.public, tooltool.download.internal is allowed here`,
  );
  const [token = ''] = standIn.seen.api.map((header) => header?.slice('Bearer '.length));
  expect(token.length).toBeGreaterThan(20);
  for (const secret of [standIn.issuingToken, token]) {
    expect(log).not.toContain(secret);
    expect(worker.log()).not.toContain(secret);
    expect(inspected).not.toContain(secret);
  }
});

test('a task without a usable permission is refused before anything is created, and told why', async () => {
  const { standIn, settings } = await startRelengapi();
  await using _standIn = standIn;
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings);
  const taskId = await deployment.createTask(
    { features: { relengAPIProxy: true }, command: ['true'] },
    { scopes: [`${prefix}*`, `${prefix}tooltool.manage`, 'docker-worker:*'] },
  );

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'failed' }, exitCode: -1 });

  const log = await deployment.taskLog(taskId);
  expect(log).toContain(`the scope ${prefix}* gives nothing: wildcards are not expanded`);
  expect(log).toContain(`the scope ${prefix}tooltool.manage gives nothing: only `);
  expect(log).toContain("Insufficient scopes to use 'relengAPIProxy' feature.");
  expect(log).not.toContain('Task Starting');
  expect(standIn.issued).toHaveLength(0);
});

test('a worker that is not configured for it says so', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  const taskId = await deployment.createTask(
    { features: { relengAPIProxy: true }, command: ['true'] },
    { scopes: [`${prefix}tooltool.download.public`] },
  );

  await worker.outcome(taskId);

  expect(await deployment.taskLog(taskId)).toContain(
    'relengAPIProxy is not available on this worker: its configuration has no "relengAPIProxy"',
  );
});
