import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type LocalTaskcluster, startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import taskcluster from 'taskcluster-client';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { keepLog } from '../features/logs/keep-log.ts';
import { Claim } from '../queue/queue.ts';
import { openRun, type RunHost } from '../run/run.ts';
import { reportResolution } from './report-resolution.ts';

/** A claimed run of a Taskcluster that can go away, with all connections refused, and come back. */
async function claimRun(stack: AsyncDisposableStack) {
  const dataDir = await mkdtemp(join(tmpdir(), 'outage-'));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const options = { dataDir, port: await freePort(), claimSeconds: 60 };
  let local: LocalTaskcluster = await startLocalTaskcluster(options);
  stack.defer(() => local[Symbol.asyncDispose]());
  const { rootUrl, credentials } = local;
  const queue = new taskcluster.Queue({ rootUrl, credentials, retries: 0 });
  const taskId = taskcluster.slugid();
  await queue.createTask(taskId, {
    ...{ taskQueueId: 'prov/type', payload: {} },
    ...{ created: taskcluster.fromNowJSON('0 s'), deadline: taskcluster.fromNowJSON('1 hour') },
    metadata: { name: 't', description: '', owner: 'o@example.com', source: 'https://example.com' },
  });
  const { tasks } = await queue.claimWork('prov/type', { workerGroup: 'g', workerId: 'w', tasks: 1 });
  const host = {
    ...{ config: testConfig({ rootUrl }), version: '0', workerName: 'test' },
    ...{ logger: pino({ level: 'silent' }), stopping: new AbortController().signal },
  } as RunHost;
  const run = await openRun(host, Claim.parse(tasks[0]), stack);
  return {
    ...{ run, queue, taskId },
    async outage(ms: number) {
      await local[Symbol.asyncDispose]();
      await setTimeout(ms);
      local = await startLocalTaskcluster(options);
    },
  };
}

test('a result waits for a queue that is away, and is reported when it comes back', async () => {
  await using stack = new AsyncDisposableStack();
  const { run, queue, taskId, outage } = await claimRun(stack);
  const away = outage(2_000);

  await reportResolution(run, { kind: 'completed' });
  await away;

  expect((await queue.status(taskId)).status.state).toBe('completed');
});

test('the log waits for a queue that is away, however many attempts that takes', async () => {
  await using stack = new AsyncDisposableStack();
  const { run, queue, taskId, outage } = await claimRun(stack);
  run.log.worker('what happened');
  await run.log.close();
  const away = outage(2_000);

  await keepLog(run);
  await away;

  const url = queue.buildSignedUrl(queue.getLatestArtifact, taskId, 'public/logs/live.log');
  expect(await (await fetch(url)).text()).toContain('what happened');
});

test('a claim that lapses ends the wait', async () => {
  await using stack = new AsyncDisposableStack();
  const { run, queue, taskId, outage } = await claimRun(stack);
  const away = outage(3_000);
  void setTimeout(1_000).then(() => run.abort({ kind: 'claim-lapsed' }));
  const started = performance.now();

  await reportResolution(run, { kind: 'completed' });

  expect(performance.now() - started).toBeLessThan(2_500);
  await away;
  expect((await queue.status(taskId)).status.state).toBe('running');
});

test('a report whose answer was lost is taken once more', async () => {
  await using stack = new AsyncDisposableStack();
  const { run, queue, taskId } = await claimRun(stack);
  await run.queue().reportCompleted(taskId, run.runId);

  await reportResolution(run, { kind: 'completed' });

  expect((await queue.status(taskId)).status.runs).toHaveLength(1);
});
