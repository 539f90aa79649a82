import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import taskcluster from 'taskcluster-client';
import { uploadFile } from '../artifacts/upload-file.ts';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { keepLog } from '../features/logs/keep-log.ts';
import { claimWork } from '../queue/claim-work.ts';
import type { Claim } from '../queue/queue.ts';
import { type Fault, type FaultProxy, faults, startFaultProxy } from '../queue/testing/fault-proxy.ts';
import { artifactTarget } from '../run/artifact-target.ts';
import { openRun, type Run, type RunHost } from '../run/run.ts';
import { startReclaiming } from './reclaim.ts';
import { reportResolution } from './report-resolution.ts';

const never = new AbortController().signal;
/** How long a fault goes on after it has been met. */
const outageMs = 1_000;

/** A task of a Taskcluster with a proxy before it; the queue can also be asked past that. */
async function startDeployment(stack: AsyncDisposableStack, { claimSeconds = 600 } = {}) {
  const proxy = stack.use(await startFaultProxy());
  const local = stack.use(
    await startLocalTaskcluster({ rootUrl: proxy.url, claimSeconds, longPollSeconds: 1 }),
  );
  proxy.target = local.url;
  const { credentials } = local;
  const queue = new taskcluster.Queue({ rootUrl: proxy.url, credentials });
  const taskId = taskcluster.slugid();
  await queue.createTask(taskId, {
    ...{ taskQueueId: 'prov/type', payload: {} },
    ...{ created: taskcluster.fromNowJSON('0 s'), deadline: taskcluster.fromNowJSON('1 hour') },
    metadata: { name: 't', description: '', owner: 'o@example.com', source: 'https://example.com' },
  });
  return { proxy, queue, taskId, config: testConfig({ rootUrl: proxy.url, taskcluster: credentials }) };
}

/** Asks as often as a worker does. */
async function nextClaim(config: ReturnType<typeof testConfig>): Promise<Claim> {
  for (;;) {
    const [claim] = await claimWork(config, 1, never).catch(() => setTimeout(100, []));
    if (claim !== undefined) {
      return claim;
    }
  }
}

async function openClaimed(stack: AsyncDisposableStack, config: object, claim: Claim): Promise<Run> {
  const host = { config, version: '0', workerName: 'test', stopping: never };
  return openRun({ ...host, logger: pino({ level: 'silent' }) } as unknown as RunHost, claim, stack);
}

/** Goes on with the work for a while after it has met the fault, then without that. */
async function during<T>(
  proxy: FaultProxy,
  fault: Fault,
  matches: RegExp,
  work: () => Promise<T>,
): Promise<T> {
  const running = await proxy.begin(fault, matches);
  const working = work();
  working.catch(() => {});
  await running.met;
  await setTimeout(outageMs);
  await running[Symbol.asyncDispose]();
  return await working;
}

test('a claim that lapses ends the wait', async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, queue, taskId, config } = await startDeployment(stack);
  const run = await openClaimed(stack, config, await nextClaim(config));
  const running = await proxy.begin('refuse', /./);
  const reporting = reportResolution(run, { kind: 'completed' });

  run.abort({ kind: 'claim-lapsed' });
  await reporting;

  await running[Symbol.asyncDispose]();
  expect((await queue.status(taskId)).status.state).toBe('running');
}, 60_000);

const calls: [string, RegExp][] = [
  ['claimWork', /claim-work/],
  ['reclaimTask', /\/reclaim$/],
  ['createArtifact', /POST .*\/artifacts\//],
  ['an upload', /PUT \/blobs\//],
  ['reportCompleted', /\/completed$/],
];
const cases = calls.flatMap(([call, matches]) =>
  faults
    // A claim whose answer is lost has a test of its own; an upload has its connection after its artifact.
    .filter(
      (fault) => !(call === 'claimWork' && fault === 'lose') && !(call === 'an upload' && fault === 'refuse'),
    )
    .map((fault) => ({ call, matches, fault })),
);

test.each(calls.map(([call]) => call))(
  'a run is completed with all its artifacts, whatever happens to %s for a while',
  async (call) => {
    const ends = await Promise.all(
      cases
        .filter((each) => each.call === call)
        .map(async ({ fault, matches }) => [fault, await lifeOf(call, matches, fault)]),
    );

    const completed = {
      states: ['completed'],
      artifact: 'content',
      log: expect.stringContaining('what happened'),
    };
    expect(Object.fromEntries(ends)).toEqual(Object.fromEntries(ends.map(([fault]) => [fault, completed])));
  },
  120_000,
);

async function lifeOf(faulty: string, matches: RegExp, fault: Fault) {
  await using stack = new AsyncDisposableStack();
  const { proxy, queue, taskId, config } = await startDeployment(stack);
  const at = <T>(call: string, work: () => Promise<T>) =>
    call === faulty ? during(proxy, fault, matches, work) : work();

  const claim = await at('claimWork', () => nextClaim(config));
  const run = await openClaimed(stack, config, claim);
  await at('reclaimTask', async () => {
    // After a second, the first time.
    await using reclaiming = startReclaiming(run, claim.takenUntil, 600);
    const renewed = Promise.withResolvers<unknown>();
    reclaiming.onCredentials(renewed.resolve);
    await Promise.race([renewed.promise, once(run.signal, 'abort')]);
  });
  const upload = () =>
    uploadFile({
      ...artifactTarget(run),
      ...{ name: 'public/a', expires: run.task.expires, contentType: 'text/plain', signal: run.over },
      source: Buffer.from('content'),
    });
  await at('createArtifact', () => at('an upload', upload));
  run.log.worker('what happened');
  await run.log.close();
  await keepLog(run);
  await at('reportCompleted', () => reportResolution(run, { kind: 'completed' }));

  const { runs } = (await queue.status(taskId)).status as { runs: { state: string }[] };
  const read = async (name: string) =>
    await (await fetch(queue.buildSignedUrl(queue.getLatestArtifact, taskId, name))).text();
  return {
    states: runs.map(({ state }) => state),
    artifact: await read('public/a'),
    log: await read('public/logs/live.log'),
  };
}

test('a task whose claim was made, but whose answer was lost, comes again when that claim ends', async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, config, queue, taskId } = await startDeployment(stack, { claimSeconds: 3 });

  const { runId } = await during(proxy, 'lose', /claim-work/, () => nextClaim(config));

  expect(runId).toBeGreaterThan(0);
  expect((await queue.status(taskId)).status.runs[0]).toMatchObject({ reasonResolved: 'claim-expired' });
}, 60_000);
