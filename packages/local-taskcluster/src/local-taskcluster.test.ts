import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import hawk from 'hawk';
import { type SeenRequest, type SeenTask, startLocalTaskcluster } from './local-taskcluster.ts';
import { startForTest } from './testing/start.ts';
import { createRunningTask, createTask, inMs, QUEUE_ID, WORKER } from './testing/task.ts';

const expires = inMs(3600_000);

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'local-taskcluster-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test('tasks, clients, roles, secrets and artifacts are there again after a restart', async () => {
  await using directory = await temporaryDirectory();
  const dataDir = directory.path;
  const before = await startForTest({ dataDir });
  const pending = await createTask(before, { priority: 'low' });
  const { taskId, run } = await createRunningTask(before, { priority: 'high' });
  const follower = await createTask(before, { dependencies: [taskId] });
  const artifact = { storageType: 's3', contentType: 'text/plain', expires };
  const { putUrl } = await run.createArtifact(taskId, 0, 'public/log', artifact);
  await fetch(putUrl, { method: 'PUT', body: 'kept', headers: { 'content-type': 'text/plain' } });
  await before.secrets.set('one', { secret: { key: 'value' }, expires });
  await before.auth.createRole('one', { description: '', scopes: ['a'] });
  await before[Symbol.asyncDispose]();

  await using after = await startForTest({ dataDir });
  const { tasks } = await after.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 2 });
  await after.queue.reportCompleted(taskId, 0);

  expect(after.credentials).toEqual(before.credentials);
  expect(tasks).toMatchObject([{ status: { taskId: pending } }]);
  expect(await after.queue.status(follower)).toMatchObject({ status: { state: 'pending' } });
  expect(await after.secrets.get('one')).toEqual({ secret: { key: 'value' }, expires });
  expect(await after.auth.expandScopes({ scopes: ['assume:one'] })).toEqual({ scopes: ['a', 'assume:one'] });
  const log = await fetch(after.queue.buildUrl(after.queue.getLatestArtifact, taskId, 'public/log'));
  expect(await log.text()).toBe('kept');
});

test('credentials of a claim work across a restart', async () => {
  await using directory = await temporaryDirectory();
  const dataDir = directory.path;
  const before = await startForTest({ dataDir });
  const { taskId, claim } = await createRunningTask(before);
  await before[Symbol.asyncDispose]();

  await using after = await startForTest({ dataDir });
  const { status } = await after.as(claim.credentials).queue.reportCompleted(taskId, 0);

  expect(status).toMatchObject({ state: 'completed' });
});

test('claims and deadlines that passed while nothing was running count after a restart', async () => {
  await using directory = await temporaryDirectory();
  const dataDir = directory.path;
  const before = await startForTest({ dataDir, claimSeconds: 0.05 });
  const deadline = inMs(250);
  const late = await createTask(before, { deadline, taskQueueId: 'other/queue' });
  const lateStart = await createTask(before, {
    dependencies: [late],
    requires: 'all-resolved',
    priority: 'low',
  });
  const claimed = await createTask(before);
  const { takenUntil } = await before.queue.claimTask(claimed, 0, WORKER);
  await before[Symbol.asyncDispose]();
  const rest = Date.parse(deadline) - Date.now();
  await new Promise((resolve) => setTimeout(resolve, Math.max(rest, Date.parse(takenUntil) - Date.now())));

  await using after = await startForTest({ dataDir });
  const started: string[] = [];
  while (started.length < 2) {
    const { tasks } = await after.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 2 });
    started.push(...tasks.map(({ status }: { status: { taskId: string } }) => status.taskId));
  }

  expect(started.sort()).toEqual([claimed, lateStart].sort());
  expect(await after.queue.status(late)).toMatchObject({
    status: { runs: [{ reasonResolved: 'deadline-exceeded' }] },
  });
  expect(await after.queue.status(claimed)).toMatchObject({
    status: { runs: [{ reasonResolved: 'claim-expired' }, { reasonCreated: 'retry' }] },
  });
});

test('nobody else on the machine can read the data directory', async () => {
  await using directory = await temporaryDirectory();
  const dataDir = join(directory.path, 'new');
  await using _local = await startForTest({ dataDir });

  const modes = [await stat(dataDir), await stat(join(dataDir, 'state.sqlite'))].map(
    ({ mode }) => mode & 0o077,
  );
  expect(modes).toEqual([0, 0]);
});

test('a data directory that is in use is refused', async () => {
  await using directory = await temporaryDirectory();
  const dataDir = directory.path;
  await using _local = await startForTest({ dataDir });

  await expect(startLocalTaskcluster({ dataDir })).rejects.toThrow(
    `Data directory ${dataDir} cannot be used`,
  );
});

test('the credentials may be chosen', async () => {
  await using local = await startForTest({ clientId: 'me', accessToken: 'x'.repeat(44) });

  expect(local.credentials).toEqual({ clientId: 'me', accessToken: 'x'.repeat(44) });
  expect(await local.auth.currentScopes()).toEqual({ scopes: ['*'] });
});

test('listeners see each request without its query until they leave', async () => {
  await using local = await startForTest();
  const seen: SeenRequest[] = [];
  const leave = local.onRequest((request) => seen.push(request));
  await local.secrets.list({ limit: 1 });
  await expect(local.secrets.get('none')).rejects.toThrow('Secret not found');
  leave();
  await local.secrets.ping();

  expect(seen).toEqual([
    { method: 'GET', path: '/api/secrets/v1/secrets', status: 200 },
    { method: 'GET', path: '/api/secrets/v1/secret/none', status: 404 },
  ]);
});

test('listeners see each task when it is created and when it is resolved, in whatever queue it waits', async () => {
  await using local = await startForTest({ oneQueue: true });
  const seen: SeenTask[] = [];
  local.onTask((task) => seen.push(task));
  const taskId = await createTask(local, { taskQueueId: 'some/where' });
  const { tasks } = await local.queue.claimWork('another/place', { ...WORKER, tasks: 1 });
  await local.queue.reportCompleted(taskId, 0);

  expect(tasks).toMatchObject([{ status: { taskId, taskQueueId: 'some/where' } }]);
  expect(seen).toMatchObject([
    { taskId, state: 'unscheduled' },
    { taskId, state: 'completed', task: { taskQueueId: 'some/where' } },
  ]);
});

test('an address that is taken is an error, and nothing stays behind', async () => {
  await using local = await startForTest();
  const port = Number(new URL(local.url).port);

  await expect(startLocalTaskcluster({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('an IPv6 address works', async () => {
  await using local = await startForTest({ host: '::1' });

  expect(local.rootUrl).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect(await local.queue.ping()).toMatchObject({ alive: true });
  expect(await local.auth.currentScopes()).toEqual({ scopes: ['*'] });
});

test('who calls it by another name is told of that name, and its signatures hold under it', async () => {
  await using local = await startForTest({ aliases: ['somewhere.internal'] });
  const { port } = new URL(local.url);
  const taskId = await createTask(local);
  await local.queue.claimTask(taskId, 0, WORKER);
  const { clientId: id, accessToken: key } = local.credentials;
  const post = async (host: string) => {
    const path = `/api/queue/v1/task/${taskId}/runs/0/artifacts/public%2Fa`;
    const url = `http://${host}:${port}${path}`;
    const { header } = hawk.client.header(url, 'POST', { credentials: { id, key, algorithm: 'sha256' } });
    const headers = { host: `${host}:${port}`, authorization: header, 'content-type': 'application/json' };
    // `fetch` calls everybody by the name in the address.
    const call = request(`${local.url}${path}`, { method: 'POST', headers });
    call.end(JSON.stringify({ storageType: 's3', expires, contentType: 'text/plain' }));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    return (await json(answer)) as { putUrl: string };
  };

  expect((await post('somewhere.internal')).putUrl).toContain(`http://somewhere.internal:${port}/blobs/`);
  expect((await post('elsewhere.internal')).putUrl).toContain(`${local.url}/blobs/`);
  expect((await post('127.0.0.1')).putUrl).toContain(`${local.url}/blobs/`);
});
