import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { startTestWorker, type TestWorker } from '../harness/test-worker.ts';

let deployment: Deployment;
let worker: TestWorker;

beforeAll(async () => {
  deployment = await startDeployment();
  worker = await startTestWorker(deployment, { features: { artifacts: { enabled: true } } });
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
});

/** State and reason of each run of a task, once its first run has ended. */
async function runsOf(taskId: string, runId = 0): Promise<string[]> {
  await worker.outcome(taskId, runId);
  const { status } = await deployment.queue.status(taskId);
  return status.runs.map(
    (run: { state: string; reasonResolved?: string }) => `${run.state}/${run.reasonResolved}`,
  );
}

test('exit code 0 completes the run, and its log has the header, the output and the footer', async () => {
  const taskId = await deployment.createTask({ command: ['echo', 'hello'] });

  expect(await runsOf(taskId)).toEqual(['completed/completed']);

  const stamp = '\\[taskcluster \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\]';
  const lines = [
    `${stamp} Task ID: ${taskId}\n`,
    `${stamp} Worker ID: test-worker-[\\w-]+\n`,
    `${stamp} Worker Group: test-group\n`,
    `${stamp} Worker Node Type: standalone\n`,
    `${stamp} Worker Pool: test/e2e\n`,
    `${stamp} Worker Version: \\d+\\.\\d+\\.\\d+\n`,
    `${stamp} Public IP: \n`,
    `${stamp} Hostname: ${hostname()}\n`,
    '\r\n',
    `${stamp} === Task Starting ===\n`,
    'hello\r\n',
    `${stamp} === Task Finished ===\n`,
    `${stamp} Successful task run with exit code: 0 completed in [\\d.]+ seconds\n`,
  ];
  expect(await deployment.taskLog(taskId)).toMatch(new RegExp(`^${lines.join('')}$`));
});

test('another exit code fails the run and stands in the footer', async () => {
  const taskId = await deployment.createTask({ command: ['sh', '-c', 'exit 5'] });

  expect(await runsOf(taskId)).toEqual(['failed/failed']);
  expect(await deployment.taskLog(taskId)).toMatch(/Unsuccessful task run with exit code: 5 completed in /);
});

test('an exit code of onExitStatus.retry makes the queue run the task again', async () => {
  const taskId = await deployment.createTask(
    { command: ['sh', '-c', 'exit $((36 * (1 - RUN_ID)))'], onExitStatus: { retry: [36] } },
    { retries: 1 },
  );

  expect(await runsOf(taskId, 1)).toEqual(['exception/intermittent-task', 'completed/completed']);
});

test('an exit code 0 is a success, whatever onExitStatus says of it', async () => {
  const taskId = await deployment.createTask({
    command: ['true'],
    onExitStatus: { retry: [0], purgeCaches: [0] },
  });

  expect(await runsOf(taskId)).toEqual(['completed/completed']);
});

test('an exit code of both lists of onExitStatus is tried again, caches or not', async () => {
  const both = { command: ['sh', '-c', 'exit 36'], onExitStatus: { retry: [36], purgeCaches: [36] } };
  const withCache = await deployment.createTask(
    { ...both, cache: { doomed: '/cache' } },
    { retries: 0, scopes: ['docker-worker:cache:doomed'] },
  );
  const without = await deployment.createTask(both, { retries: 0 });

  expect(await runsOf(withCache)).toEqual(['exception/intermittent-task']);
  expect(await runsOf(without)).toEqual(['exception/intermittent-task']);
  await worker.logged('cache volume purge');
});

test('an exit code of onExitStatus.purgeCaches fails a task that has no caches', async () => {
  const taskId = await deployment.createTask({
    command: ['sh', '-c', 'exit 36'],
    onExitStatus: { purgeCaches: [36] },
  });

  expect(await runsOf(taskId)).toEqual(['failed/failed']);
});

test('a feature that the worker does not offer fails the run', async () => {
  const taskId = await deployment.createTask({ features: { bulkLog: true } });

  expect(await runsOf(taskId)).toEqual(['failed/failed']);
  expect(await deployment.taskLog(taskId)).toContain('bulkLog');
});

test('the task sees the reserved variables and its own, which cannot replace them', async () => {
  const taskId = await deployment.createTask({
    command: ['env'],
    env: { MINE: 'yes', TASK_ID: 'forged' },
  });

  await worker.outcome(taskId);

  const log = await deployment.taskLog(taskId);
  const variables = {
    TASK_ID: taskId,
    RUN_ID: '0',
    MINE: 'yes',
    TASKCLUSTER_ROOT_URL: deployment.local.rootUrl,
    TASKCLUSTER_WORKER_TYPE: 'e2e',
    TASKCLUSTER_WORKER_POOL: 'test/e2e',
    TASKCLUSTER_WORKER_GROUP: 'test-group',
    TASKCLUSTER_INSTANCE_TYPE: 'standalone',
  };
  for (const [name, value] of Object.entries(variables)) {
    expect(log).toContain(`${name}=${value}\r\n`);
  }
  expect(log).not.toContain('undefined');
});

test('a payload that breaks the schema is an exception with every error in the log', async () => {
  const taskId = await deployment.createTask({
    maxRunTime: 'ten',
    cmd: ['x'],
    onExitStatus: { retry: ['1'] },
  });

  expect(await runsOf(taskId)).toEqual(['exception/malformed-payload']);

  const log = await deployment.taskLog(taskId);
  expect(log).toContain('\n[taskcluster:error] `task.payload` format is invalid json schema errors:\n');
  expect(log).toContain('data/maxRunTime should be integer');
  expect(log).toContain('data/onExitStatus/retry/0 should be integer');
  expect(log).toContain('cmd');
});

test('a feature that nobody knows fails the run with a log that says so', async () => {
  const taskId = await deployment.createTask({ features: { teleport: true } });

  expect(await runsOf(taskId)).toEqual(['failed/failed']);
  expect(await deployment.taskLog(taskId)).toContain(
    '[taskcluster:error] payload.features.teleport: teleport is not part of valid features',
  );
});

test('a command that cannot be started fails the run', async () => {
  const taskId = await deployment.createTask({ command: ['/no/such/program'] });

  expect(await runsOf(taskId)).toEqual(['failed/failed']);
  expect(await deployment.taskLog(taskId)).toContain(
    '[taskcluster:error] Failure to properly start execution environment.',
  );
});

test('what the engine would not take is refused before it is asked', async () => {
  const taskId = await deployment.createTask({ command: ['true'], env: { '': 'no name' } });

  expect(await runsOf(taskId)).toEqual(['exception/malformed-payload']);
  expect(await deployment.taskLog(taskId)).toContain('payload.env');
});

test('a task that would only wait for input that never comes fails at once', async () => {
  const taskId = await deployment.createTask({ command: [] });

  expect(await runsOf(taskId)).toEqual(['failed/failed']);
  expect(await deployment.taskLog(taskId)).toContain(
    'The task has no command, and that of its image (bash) only waits for input',
  );
});

test('maxRunTime stops the task, fails the run and keeps its artifacts', async () => {
  const taskId = await deployment.createTask({
    maxRunTime: 1,
    command: ['sh', '-c', 'echo Hello; echo kept > /kept; sleep 30; echo done'],
    artifacts: { 'public/kept': { type: 'file', path: '/kept' } },
  });

  expect(await runsOf(taskId)).toEqual(['failed/failed']);

  const log = await deployment.taskLog(taskId);
  expect(log).toContain('Hello');
  expect(log).not.toContain('done');
  expect(log).toContain('[taskcluster:error] Task timeout after 1 seconds. Force killing container.');
  expect(log).toContain('exit code: -1');
  const artifact = await fetch(
    deployment.queue.buildUrl(deployment.queue.getLatestArtifact, taskId, 'public/kept'),
  );
  expect(await artifact.text()).toBe('kept\n');
});

test('a task that is cancelled keeps what it had made', async () => {
  const taskId = await deployment.createTask({
    command: ['sh', '-c', 'echo kept > /kept; echo under way; sleep 60'],
    artifacts: { 'public/kept': { type: 'file', path: '/kept' } },
  });
  const run = await worker.run(taskId);
  for await (const chunk of run.log.read()) {
    if (chunk.includes('under way\r\n')) break;
  }
  await deployment.queue.cancelTask(taskId);

  // As the next renewal of the claim would say.
  run.abort({ kind: 'canceled' });

  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'none' });
  expect(await runsOf(taskId)).toEqual(['exception/canceled']);
  const artifact = await fetch(
    deployment.queue.buildUrl(deployment.queue.getLatestArtifact, taskId, 'public/kept'),
  );
  expect(await artifact.text()).toBe('kept\n');
  expect(await deployment.taskLog(taskId)).toContain('under way');
});

test('an artifact that is missing is noted and does not change the result', async () => {
  const taskId = await deployment.createTask({
    command: ['true'],
    artifacts: { 'public/nothing': { type: 'file', path: '/nothing' } },
  });

  expect(await runsOf(taskId)).toEqual(['completed/completed']);
  expect(await deployment.taskLog(taskId)).toContain('Artifact "public/nothing" not found at "/nothing"');
});

test('an artifact that is not what it was declared to be is an error artifact and does not change the result', async () => {
  const taskId = await deployment.createTask({
    command: ['true'],
    artifacts: { 'public/file': { type: 'file', path: '/etc' } },
  });

  expect(await runsOf(taskId)).toEqual(['completed/completed']);
  expect(await deployment.taskLog(taskId)).toContain(
    '\n[taskcluster:error] Error uploading "public/file". Expected artifact to be a "file" but was "directory"\n',
  );
  const { artifacts } = await deployment.queue.listLatestArtifacts(taskId);
  expect(artifacts).toContainEqual(expect.objectContaining({ name: 'public/file', storageType: 'error' }));
});

test.each([{ localLiveLog: false }, { localLiveLog: false, artifacts: false }])(
  'the log is kept whatever features there are: %j',
  async (features) => {
    const taskId = await deployment.createTask({ command: ['echo', 'Hello'], features });

    expect(await runsOf(taskId)).toEqual(['completed/completed']);
    expect(await deployment.taskLog(taskId)).toContain('\nHello\r\n');
  },
);

test('the log of a run with another name has its backing log beside it', async () => {
  const taskId = await deployment.createTask({ command: ['true'], log: 'apple/banana.log.txt' });

  await worker.outcome(taskId);

  const { artifacts } = await deployment.queue.listLatestArtifacts(taskId);
  expect(
    artifacts
      .map((artifact: { name: string; storageType: string }) => [artifact.name, artifact.storageType])
      .sort(),
  ).toEqual([
    ['apple/banana.log.txt', 'link'],
    ['apple/banana.log_backing.txt', 's3'],
  ]);
});

test('everything that a run made is gone when it has ended', async () => {
  const taskId = await deployment.createTask({
    command: ['true'],
    features: { taskclusterProxy: true },
  });

  await worker.outcome(taskId);

  expect((await runContainers(`${taskId}/0`)).size).toBe(0);
});
