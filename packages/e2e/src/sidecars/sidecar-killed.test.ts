import { runV1 } from '@docker-worker/exec-ws-server/testing/v1-client';
import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { logShows } from '../harness/log-shows.ts';
import { shellLink } from '../harness/shell-link.ts';
import { startTestWorker } from '../harness/test-worker.ts';

/** Asks the proxy until it answers, and says so with the number that the file has for name; then once more. */
const asking = `
ask() { until curl --silent --fail --max-time 2 http://taskcluster/api/queue/v1/task/$TASK_ID >/dev/null; do sleep 0.2; done; echo "answer $1"; }
`;

test('a killed tc-proxy is started again at once, with the newest credentials, and the task is told', async () => {
  const seeds: string[] = [];
  await using deployment = await startDeployment(
    { claimSeconds: 8 },
    (method, url, { authorization = '' }) => {
      if (method === 'GET' && /\/queue\/v1\/task\/[\w-]+$/.test(url)) {
        seeds.push(seedOf(authorization));
      }
      return undefined;
    },
  );
  await using worker = await startTestWorker(deployment, { warm: { units: 1 } });
  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: ['bash', '-c', `${asking} ask 1; while ! test -e /dev/shm/go; do sleep 0.1; done; ask 2`],
  });
  const run = await worker.run(taskId);
  const claimed = seedIn(run.credentials.certificate);
  await logShows(run, 'answer 1');
  const { HostConfig: limits } = (await runContainers(`${taskId}/0`)).get('sidecar:tc-proxy') ?? {};
  expect(limits).toMatchObject({ PidsLimit: 256, CpuQuota: 200_000, CpuPeriod: 100_000 });
  await worker.logged('Credentials updated');
  // They are renewed every few seconds, also between any two lines of this test.
  const renewed = [run.credentials];

  await kill(taskId, 'sidecar:tc-proxy');
  await logShows(run, 'The service tc-proxy (http://taskcluster) answers again.');
  renewed.push(run.credentials);
  await exec(taskId, ['touch', '/dev/shm/go']);
  await logShows(run, 'answer 2');
  renewed.push(run.credentials);

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });
  expect(await deployment.taskLog(taskId)).toMatch(
    /\[taskcluster [^\]]*\] The service tc-proxy \(http:\/\/taskcluster\) has ended unexpectedly \(exit code 137\) and is started again\./,
  );
  expect(seeds.at(-1)).not.toBe(claimed);
  expect(renewed.map(({ certificate }) => seedIn(certificate))).toContain(seeds.at(-1));
});

test('a sidecar that is killed twice ends the run so that the queue repeats it, with its last words', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: ['bash', '-c', `${asking} test $RUN_ID = 1 && exit; ask 1; sleep 60`],
  });
  const run = await worker.run(taskId);
  await logShows(run, 'answer 1');

  await kill(taskId, 'sidecar:tc-proxy');
  await logShows(run, 'answers again');
  await kill(taskId, 'sidecar:tc-proxy');

  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'exception', reason: 'worker-shutdown' });
  expect((await worker.outcome(taskId, 1)).resolution).toEqual({ kind: 'completed' });
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs).toMatchObject([{ reasonResolved: 'worker-shutdown' }, { reasonCreated: 'retry' }]);
  const response = await fetch(
    deployment.queue.buildUrl(deployment.queue.getArtifact, taskId, 0, 'public/logs/live_backing.log'),
  );
  expect(await response.text()).toMatch(
    /\[taskcluster:error\] Task has been aborted prematurely\. Reason: worker-shutdown\. The sidecar tc-proxy \(image docker-worker\/tc-proxy:[\d.]+\) could not be used: it ended \(exit code 137\), for the second time\.\nIts last words:\n\{.*\}/,
  );
});

test('after the service of a shell was killed people come in at the same address', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, {
    host: '127.0.0.1',
    interactive: { minTime: 1, expirationAfterSession: 0, address: '127.0.0.1' },
  });
  const taskId = await deployment.createTask({
    features: { interactive: true },
    command: ['bash', '-c', 'while ! test -e /dev/shm/go; do sleep 0.1; done'],
  });
  const run = await worker.run(taskId);
  const link = await shellLink(deployment, worker, taskId);

  await kill(taskId, 'sidecar:exec-ws-server');
  await logShows(run, 'answers again');
  const { stdout } = await runV1(link.socket, ['sh', '-c', 'touch /dev/shm/go; echo inside']);

  expect(stdout.toString()).toBe('inside\n');
  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'completed' });
});

async function kill(taskId: string, role: string): Promise<void> {
  const containers = await runContainers(`${taskId}/0`);
  await docker.getContainer(containers.get(role)?.Id ?? '').kill();
}

async function exec(taskId: string, command: string[]): Promise<void> {
  const containers = await runContainers(`${taskId}/0`);
  const made = await docker.getContainer(containers.get('task')?.Id ?? '').exec({ Cmd: command });
  (await made.start({})).destroy();
}

/** Which credentials a request was signed with. */
function seedOf(authorization: string): string {
  const ext = /ext="([^"]*)"/.exec(authorization)?.[1] ?? '';
  return seedIn(
    JSON.stringify(
      (JSON.parse(Buffer.from(ext, 'base64').toString()) as { certificate: object }).certificate,
    ),
  );
}

function seedIn(certificate = ''): string {
  return (JSON.parse(certificate) as { seed: string }).seed;
}
