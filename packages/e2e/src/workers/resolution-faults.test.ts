import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { startTestWorker, type TestWorker } from '../harness/test-worker.ts';

interface Faulty extends AsyncDisposable {
  deployment: Deployment;
  worker: TestWorker;
  /** Requests whose method and path match, and what they send if that is said, are answered with the status. */
  faults: { matches: RegExp; contentType?: string; status: number }[];
  /** Requests that resolve a run, in their order, refused ones included. */
  reports: string[];
}

/** A worker of a deployment that fails on request. */
async function startFaulty(options: { claimSeconds?: number } = {}, settings: object = {}): Promise<Faulty> {
  const faults: Faulty['faults'] = [];
  const reports: string[] = [];
  await using starting = new AsyncDisposableStack();
  const deployment = starting.use(
    await startDeployment(options, (method, url, headers) => {
      const [, report] = /\/runs\/\d+\/(completed|failed|exception)$/.exec(url) ?? [];
      if (report !== undefined) {
        reports.push(report);
      }
      return faults.find(
        ({ matches, contentType = headers['content-type'] }) =>
          matches.test(`${method} ${url}`) && headers['content-type'] === contentType,
      )?.status;
    }),
  );
  const worker = starting.use(await startTestWorker(deployment, settings));
  const running = starting.move();
  return { deployment, worker, faults, reports, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function runsOf({ deployment }: Faulty, taskId: string): Promise<string[]> {
  const { status } = await deployment.queue.status(taskId);
  return status.runs.map(
    (run: { state: string; reasonResolved?: string }) => `${run.state}/${run.reasonResolved}`,
  );
}

const withArtifact = {
  command: ['sh', '-c', 'echo content > /file'],
  artifacts: { 'public/file': { type: 'file', path: '/file' } },
};

test.concurrent('a run whose artifacts are not taken is run again, one whose artifacts are refused has failed', async () => {
  await using faulty = await startFaulty({}, { artifacts: { maxAttempts: 2 } });
  const { deployment, worker, faults, reports } = faulty;
  const upload = { matches: /^PUT \/blobs\//, contentType: 'application/octet-stream', status: 503 };
  faults.push(upload);

  const lost = await deployment.createTask(withArtifact, { retries: 1 });
  await worker.outcome(lost, 0);
  faults.length = 0;
  await worker.outcome(lost, 1);
  expect(await runsOf(faulty, lost)).toEqual(['exception/intermittent-task', 'completed/completed']);
  expect(reports).toEqual(['exception', 'completed']);
  expect(worker.log()).toContain('"artifact":"public/file"');
  expect(worker.log()).toContain('retrying artifact upload');

  faults.push({ ...upload, status: 403 });
  const refused = await deployment.createTask(withArtifact);
  await worker.outcome(refused);
  expect(await runsOf(faulty, refused)).toEqual(['failed/failed']);
  const log = await deployment.taskLog(refused);
  expect(log).toContain('[taskcluster:error] Error uploading "public/file" artifact. ');
  expect(log).toContain('Unsuccessful task run with exit code: -1 completed in');
});

test.concurrent('a run whose log is refused has failed, once', async () => {
  await using faulty = await startFaulty();
  const { deployment, worker, faults, reports } = faulty;
  faults.push({ matches: /^POST .*live_backing/, status: 403 });

  const taskId = await deployment.createTask({ command: ['true'] });
  await worker.outcome(taskId);

  expect(await runsOf(faulty, taskId)).toEqual(['failed/failed']);
  expect(reports).toEqual(['failed']);
});

test.concurrent('a claim that the queue does not renew ends the task when it lapses, and the queue makes another run', async () => {
  await using faulty = await startFaulty({ claimSeconds: 8 });
  const { deployment, worker, faults, reports } = faulty;
  faults.push({ matches: /^POST .*\/reclaim$/, status: 400 });

  const taskId = await deployment.createTask({ command: ['sleep', '60'] });
  const run = await worker.run(taskId);
  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'none' });

  faults.length = 0;
  const next = await worker.run(taskId, 1);
  expect(await runsOf(faulty, taskId)).toEqual(['exception/claim-expired', 'running/undefined']);
  expect(reports).toEqual([]);
  expect((run.signal.reason as Error).message).toContain('before the claim of this worker ended');
  next.abort({ kind: 'worker-shutdown' });
});

test.concurrent('a queue that is gone costs a run its claim and nothing else: it is stopped, and never resolved by us', async () => {
  await using faulty = await startFaulty({ claimSeconds: 3 });
  const { deployment, worker, faults } = faulty;
  const taskId = await deployment.createTask({ command: ['sleep', '60'] }, { retries: 1 });
  await worker.run(taskId);
  const gone = { matches: /\/api\/queue\//, status: 503 };
  faults.push(gone);
  await setTimeout(5_000);
  faults.length = 0;

  await worker.outcome(taskId, 0);
  const [first] = await runsOf(faulty, taskId);
  expect(first).toBe('exception/claim-expired');
  const next = await worker.run(taskId);
  next.abort({ kind: 'worker-shutdown' });
});

test.concurrent('a task whose deadline passes is stopped at the next renewal and not resolved again', async () => {
  await using faulty = await startFaulty({ claimSeconds: 4 });
  const { deployment, worker, reports } = faulty;

  const taskId = await deployment.createTask(
    { command: ['sleep', '60'] },
    { deadline: new Date(Date.now() + 10_000).toJSON() },
  );
  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'none' });

  expect(await runsOf(faulty, taskId)).toEqual(['exception/deadline-exceeded']);
  expect(worker.log()).toContain('cancel task');
  expect(reports).toEqual([]);
});

test.concurrent('a feature that fails once the container runs ends the task, which has failed', async () => {
  await using faulty = await startFaulty();
  const { deployment, worker, faults, reports } = faulty;
  faults.push({ matches: /^POST .*shell\.html$/, status: 403 });

  const taskId = await deployment.createTask({
    features: { interactive: true },
    command: ['sh', '-c', 'echo begun; sleep 60'],
  });
  await worker.outcome(taskId);

  expect(await runsOf(faulty, taskId)).toEqual(['failed/failed']);
  expect(reports).toEqual(['failed']);
  expect(await deployment.taskLog(taskId)).toContain(
    '[taskcluster:error] Task was aborted because states could not be started successfully.',
  );
});

test.concurrent('a sidecar that cannot be had gives the run back to the queue, and the log says which', async () => {
  await using faulty = await startFaulty({}, { sidecars: { registry: '127.0.0.1:1/none' } });
  const { deployment, worker, reports } = faulty;

  const taskId = await deployment.createTask(
    { features: { taskclusterProxy: true }, command: ['true'] },
    { retries: 0 },
  );
  await worker.outcome(taskId);

  expect(await runsOf(faulty, taskId)).toEqual(['exception/worker-shutdown']);
  expect(reports).toEqual(['exception']);
  const log = await deployment.taskLog(taskId);
  expect(log).toContain(
    '[taskcluster:error] Task was aborted because states could not be created successfully.',
  );
  expect(log).toContain("Error calling 'link' for taskclusterProxy : The sidecar tc-proxy");
});

test.concurrent('work that cannot be claimed is asked for with pauses', async () => {
  const times: number[] = [];
  await using deployment = await startDeployment({}, (_method, url) => {
    if (url.includes('/claim-work/')) {
      times.push(Date.now());
      return times.length <= 3 ? 500 : undefined;
    }
    return undefined;
  });
  await using worker = await startTestWorker(deployment);
  const taskId = await deployment.createTask({ command: ['true'] });

  await worker.outcome(taskId);

  const pauses = times.slice(1, 4).map((time, index) => time - (times[index] ?? 0));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_000);
});
