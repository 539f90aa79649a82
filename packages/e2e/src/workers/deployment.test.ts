import { join } from 'node:path';
import type { WorkerStatus } from '@docker-worker/worker';
import { expect, test } from '@jest/globals';
import { Command, dockerWorker } from '../harness/command.ts';
import { startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { writeConfig } from '../harness/write-config.ts';

test.each(['SIGQUIT', 'SIGHUP'] as const)(
  'start runs tasks of a deployment, and %s lets the running one finish',
  async (signal) => {
    await using deployment = await startDeployment();
    await using folder = await makeTempDir();
    await using worker = new Command(['start', '--config', await writeConfig(folder.path, deployment)]);
    const taskId = await deployment.createTask({ command: ['sleep', '2'] });
    await worker.printed(/"type":"run task"/);

    worker.kill(signal);

    expect(await worker.exited).toBe(0);
    expect((await deployment.queue.status(taskId)).status.state).toBe('completed');
  },
);

test('operators see a task while it runs, with its log and its sidecars, and the events that they count costs by', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const config = await writeConfig(folder.path, deployment, { alivenessCheckInterval: 100 });
  await using worker = new Command(['start', '--config', config]);
  const [, port] = await worker.printed(/"port":(\d+),"type":"status is served"/);
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: ['sh', '-c', 'echo under way; sleep 60'],
  });
  await worker.printed(/"type":"task started"/);

  const status = (await (await ask('/status')).json()) as WorkerStatus;
  expect(status).toMatchObject({
    worker: { pool: 'test/e2e', state: 'claiming' },
    versions: { engine: expect.stringMatching(/^\d+\./) },
    capacity: { slots: 1, running: 1 },
    disk: { freeBytes: expect.any(Number) },
    runs: [{ taskId, runId: 0, name: 'e2e', started: expect.any(String) }],
  });
  const [run] = status.runs;
  expect(run?.containers.map(({ role, state }) => [role, state]).sort()).toEqual([
    ['sidecar:tc-proxy', 'running'],
    ['task', 'running'],
  ]);
  const log = await fetch(run?.links.log ?? '');
  const reader = log.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? '').toString()).toContain(`Task ID: ${taskId}`);
  await reader?.cancel();
  expect((await ask('/ready')).status).toBe(200);
  expect(await (await ask('/metrics')).text()).toContain('docker_worker_running 1');
  await worker.printed(/("type":"aliveness check"[\s\S]*){3}/);
  await worker.printed(/"efficiency":0\.\d+,"capacity":1,"running":1,"type":"reporting efficiency"/);

  worker.kill('SIGTERM');
  await worker.exited;
  const events = worker.stdout.match(/^WORKER_METRICS .*$/gm)?.map((line) => JSON.parse(line.slice(15)));
  expect(events?.map(({ eventType }) => eventType)).toEqual([
    ...['instanceBoot', 'workerReady', 'taskQueue', 'taskStart', 'taskFinish', 'instanceShutdown'],
  ]);
});

test('SIGTERM resolves the running task as worker-shutdown, with its log, and the queue retries it', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = new Command(['start', '--config', await writeConfig(folder.path, deployment)]);
  const taskId = await deployment.createTask({ command: ['sleep', '60'] });
  await worker.printed(/"type":"run task"/);

  worker.kill('SIGTERM');

  expect(await worker.exited).toBe(0);
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs[0]).toMatchObject({ state: 'exception', reasonResolved: 'worker-shutdown' });
  expect(status.runs[1]).toMatchObject({ state: 'pending', reasonCreated: 'retry' });
  const { queue } = deployment;
  const log = await fetch(queue.buildUrl(queue.getArtifact, taskId, 0, 'public/logs/live.log'));
  expect(await log.text()).toContain('Task has been aborted prematurely. Reason: worker-shutdown');
});

test('a claim is renewed, and the proxy goes on with the new credentials', async () => {
  await using deployment = await startDeployment({ claimSeconds: 4 });
  await using folder = await makeTempDir();
  await using worker = new Command(['start', '--config', await writeConfig(folder.path, deployment)]);
  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: [
      'bash',
      '-c',
      'sleep 6; curl --silent --write-out "%{http_code}" $TASKCLUSTER_PROXY_URL/api/auth/v1/scopes/current',
    ],
  });

  await worker.printed(/"type":"Credentials updated"/);
  await worker.printed(/"type":"task resolved"/);

  expect(await deployment.taskLog(taskId)).toContain(`queue:create-artifact:${taskId}/0`);
  expect(await deployment.taskLog(taskId)).toContain('200');
  expect((await deployment.queue.status(taskId)).status.state).toBe('completed');
});

test('a task that is cancelled on the queue is stopped at the next renewal and not resolved again', async () => {
  await using deployment = await startDeployment({ claimSeconds: 4 });
  await using folder = await makeTempDir();
  await using worker = new Command(['start', '--config', await writeConfig(folder.path, deployment)]);
  const taskId = await deployment.createTask({ command: ['sleep', '60'] });
  await worker.printed(/"type":"run task"/);

  await deployment.queue.cancelTask(taskId);

  await worker.printed(/"type":"cancel task"/);
  await worker.printed(/"resolution":"none"/);
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs[0]).toMatchObject({ state: 'exception', reasonResolved: 'canceled' });
});

test('check finds nothing wrong with a deployment that works', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();

  const { code, stdout } = await dockerWorker(
    'check',
    '--online',
    '--config',
    await writeConfig(folder.path, deployment),
  );

  expect(stdout).toContain('ok: nothing is in the way of a worker here\n');
  expect(code).toBe(0);
});

test('check tells every problem of a configuration at once, each with its place', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const file = await writeConfig(folder.path, deployment, {
    capacity: 0,
    workerGroop: 'x',
    workerId: undefined,
  });

  const { code, stdout } = await dockerWorker('check', '--config', file);

  expect(stdout).toMatch(/workerGroop: .*did you mean 'workerGroup'/);
  expect(stdout).toMatch(/workerId: /);
  expect(stdout).toMatch(/capacity: /);
  expect(code).toBe(1);
});

test('check --online tells refused credentials and a deployment that does not answer', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const refused = await writeConfig(folder.path, deployment, {
    taskcluster: { clientId: 'root', accessToken: 'not-the-token' },
  });

  expect((await dockerWorker('check', '--online', '--config', refused)).stdout).toContain('credentials');

  const silent = await writeConfig(folder.path, deployment, { rootUrl: 'http://127.0.0.1:1' });
  expect((await dockerWorker('check', '--online', '--config', silent)).stdout).toContain(
    'No Taskcluster answers at rootUrl http://127.0.0.1:1',
  );
});

test('a worker without work ends by itself, and one with too little disk claims nothing', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const idle = { shutdown: { afterIdleSeconds: 1 }, capacityManagement: { diskspaceThreshold: 1e18 } };
  const taskId = await deployment.createTask({ command: ['true'] });
  await using worker = new Command(['start', '--config', await writeConfig(folder.path, deployment, idle)]);

  await worker.printed(/"type":"worker idle"/);
  await worker.printed(/"type":"\[alert-operator\] diskspace threshold reached"/);

  expect(await worker.exited).toBe(0);
  expect((await deployment.queue.status(taskId)).status.state).toBe('pending');
});

test('start-worker starts it, renews its credentials, lets it finish and is asked to end the machine', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const { accessToken, clientId } = deployment.local.credentials;
  const expired = { taskcluster: { clientId, accessToken: 'expired' } };
  const taskId = await deployment.createTask({ command: ['sleep', '1'] });
  await using worker = new Command(['--host', 'worker-runner', 'production'], {
    program: join(import.meta.dirname, '../../../worker/bin/docker-worker'),
    env: { DOCKER_WORKER_CONFIG: await writeConfig(folder.path, deployment, expired) },
    stdin: 'open',
  });
  const tell = (message: object) => worker.say(`~${JSON.stringify(message)}\n`);

  tell({ type: 'welcome', capabilities: ['graceful-termination', 'shutdown', 'new-credentials'] });
  await worker.printed(/^~\{"type":"hello".*\}$/m);
  await worker.printed(/"type":"work could not be claimed"/);
  tell({ type: 'new-credentials', 'client-id': clientId, 'access-token': accessToken });
  await worker.printed(/"type":"task started"/);
  tell({ type: 'graceful-termination', 'finish-tasks': true });
  await worker.printed(/^~\{"type":"shutdown"\}$/m);

  expect((await deployment.queue.status(taskId)).status.state).toBe('completed');
  worker.process.stdin?.end();
  expect(await worker.exited).toBe(0);
});
