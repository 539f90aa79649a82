import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { notExercised, startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createRunningTask, createTask, inMs, QUEUE_ID, WORKER } from '../testing/task.ts';

const expires = inMs(3600_000);

async function upload(run: TestTaskcluster['queue'], taskId: string, name: string, text: string) {
  const { putUrl } = await run.createArtifact(taskId, 0, name, {
    ...{ storageType: 's3', contentType: 'text/plain', expires },
  });
  const answer = await fetch(putUrl, {
    method: 'PUT',
    body: text,
    headers: { 'content-type': 'text/plain' },
  });
  expect(answer.status).toBe(200);
}

function get({ queue }: TestTaskcluster, taskId: string, name: string, init?: RequestInit) {
  return fetch(queue.buildUrl(queue.getArtifact as never, taskId, 0, name), init);
}

test('an uploaded file comes back with its bytes and headers', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  const created = await run.createArtifact(taskId, 0, 'public/a log.txt', {
    ...{ storageType: 's3', contentType: 'text/plain; charset=utf-8', expires },
  });
  const body = gzipSync('hello');
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-encoding': 'gzip' };
  const put = await fetch(created.putUrl, { method: 'PUT', body, headers });

  const redirect = await get(local, taskId, 'public/a log.txt', { redirect: 'manual' });
  const got = await fetch(redirect.headers.get('location') ?? '');

  expect(put.status).toBe(200);
  expect(created.putUrl.startsWith(local.rootUrl)).toBe(true);
  expect(redirect.status).toBe(303);
  expect(await redirect.json()).toEqual({ storageType: 's3', url: redirect.headers.get('location') });
  expect(redirect.headers.get('x-taskcluster-artifact-storage-type')).toBe('s3');
  expect(got.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(got.headers.get('content-encoding')).toBe('gzip');
  expect(got.headers.get('content-length')).toBe(String(body.length));
  expect(got.headers.get('access-control-allow-origin')).toBe('*');
  expect(await got.text()).toBe('hello');
});

test('an upload of another content type, of unknown length or to a forged URL is refused', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  const { putUrl } = await run.createArtifact(taskId, 0, 'public/a', {
    ...{ storageType: 's3', contentType: 'text/plain', expires },
  });
  const put = async (url: string, type: string, body: string | ReadableStream) => {
    const init = { method: 'PUT', body, headers: { 'content-type': type }, duplex: 'half' };
    return (await fetch(url, init as RequestInit)).status;
  };

  expect(await put(putUrl, 'text/html', 'x')).toBe(403);
  expect(await put(putUrl, 'text/plain', new Blob(['x']).stream())).toBe(411);
  expect(await put(`${putUrl.slice(0, -4)}AAAA`, 'text/plain', 'x')).toBe(403);
  expect((await get(local, taskId, 'public/a')).status).toBe(404);
});

test('an upload that breaks off leaves the earlier bytes in place', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await upload(run, taskId, 'public/a', 'complete');
  const { putUrl } = await run.createArtifact(taskId, 0, 'public/a', {
    ...{ storageType: 's3', contentType: 'text/plain', expires },
  });
  const { hostname, port, pathname } = new URL(putUrl);
  const broken = request({ hostname, port, path: pathname, method: 'PUT' });
  broken.setHeader('content-type', 'text/plain').setHeader('content-length', '100');
  broken.on('error', () => undefined);
  const arrived = once(local.arrivals, 'other');
  broken.write('half');
  const [{ raw }] = await arrived;
  const closed = new Promise((resolve) => raw.socket.once('close', resolve));
  broken.destroy();
  await closed;

  expect(await (await get(local, taskId, 'public/a')).text()).toBe('complete');
});

test('only public artifacts are for everybody', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await upload(run, taskId, 'private/log', 'secret');
  const reader = local.as(local.credentials, ['queue:get-artifact:private/log']).queue;
  const other = local.as(local.credentials, ['queue:get-artifact:private/other']).queue;

  const anonymous = await get(local, taskId, 'private/log');
  const signed = await fetch(reader.buildSignedUrl(reader.getArtifact, taskId, 0, 'private/log'));
  const wrong = await fetch(other.buildSignedUrl(other.getLatestArtifact, taskId, 'private/log'));

  expect([anonymous.status, signed.status, wrong.status]).toEqual([403, 200, 403]);
  expect(await signed.text()).toBe('secret');
});

test('a reference redirects to its URL, which may change', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  const reference = { storageType: 'reference', contentType: 'text/html', expires };
  await run.createArtifact(taskId, 0, 'public/live', { ...reference, url: 'https://example.com/1' });
  await run.createArtifact(taskId, 0, 'public/live', { ...reference, url: 'https://example.com/2' });

  const { status, headers } = await get(local, taskId, 'public/live', { redirect: 'manual' });

  expect([status, headers.get('location')]).toEqual([303, 'https://example.com/2']);
});

test('a reference becomes a link, which leads to the content of another artifact', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await upload(run, taskId, 'public/backing.log', 'the log');
  const name = 'public/live.log';
  const url = 'https://example.com/';
  await run.createArtifact(taskId, 0, name, {
    storageType: 'reference',
    contentType: 'text/plain',
    expires,
    url,
  });
  await run.createArtifact(taskId, 0, name, { storageType: 'link', artifact: 'public/backing.log', expires });

  expect(await (await get(local, taskId, name)).text()).toBe('the log');
  expect(await run.artifactInfo(taskId, 0, name)).toMatchObject({ storageType: 'link' });
  expect(await run.latestArtifact(taskId, name)).toMatchObject({ storageType: 's3' });
});

test('a public link does not open a private artifact', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await upload(run, taskId, 'private/log', 'secret');
  await run.createArtifact(taskId, 0, 'public/log', {
    storageType: 'link',
    artifact: 'private/log',
    expires,
  });

  expect((await get(local, taskId, 'public/log')).status).toBe(403);
});

test('links in a circle are an error', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await run.createArtifact(taskId, 0, 'public/a', { storageType: 'link', artifact: 'public/b', expires });
  await run.createArtifact(taskId, 0, 'public/b', { storageType: 'link', artifact: 'public/a', expires });

  await expect(run.latestArtifact(taskId, 'public/a')).rejects.toMatchObject({ code: 'InputError' });
});

test('an error artifact answers 424 with its reason', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  const error = { reason: 'file-missing-on-worker', message: 'there was no such file' };
  await run.createArtifact(taskId, 0, 'public/missing', { storageType: 'error', expires, ...error });

  const answer = await get(local, taskId, 'public/missing');

  expect([answer.status, await answer.json()]).toEqual([424, error]);
  expect(await run.artifact(taskId, 0, 'public/missing')).toEqual({ storageType: 'error', ...error });
});

const S3 = { storageType: 's3', contentType: 'text/plain', expires };
const REFERENCE = {
  storageType: 'reference',
  contentType: 'text/plain',
  expires,
  url: 'https://example.com/',
};
const ERROR = { storageType: 'error', reason: 'file-missing-on-worker', message: 'm', expires };
const LINK = { storageType: 'link', artifact: 'public/x', expires };
const LATER = inMs(3660_000);
const EARLIER = inMs(3540_000);

test.each([
  ['itself', S3, S3],
  ['itself with a later expiry', S3, { ...S3, expires: LATER }],
  ['a link with a later expiry', LINK, { ...LINK, expires: LATER }],
  ['a link instead of a reference', REFERENCE, LINK],
])('an artifact may be created again as %s', async (_what, first, second) => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await run.createArtifact(taskId, 0, 'public/a', first);

  const { storageType } = await run.createArtifact(taskId, 0, 'public/a', second);
  const { artifacts } = await run.listArtifacts(taskId, 0);

  expect(storageType).toBe(second.storageType);
  expect(artifacts).toMatchObject([{ name: 'public/a', storageType, expires: second.expires }]);
});

test.each([
  ['an earlier expiry', S3, { ...S3, expires: EARLIER }],
  ['another content type', S3, { ...S3, contentType: 'text/html' }],
  ['another message', ERROR, { ...ERROR, message: 'other' }],
  ['another target', LINK, { ...LINK, artifact: 'public/y' }],
  ['a reference instead of a file', S3, REFERENCE],
  ['a file instead of a reference', REFERENCE, S3],
  ['a link instead of a file', S3, LINK],
])('an artifact may not be created again with %s', async (_what, first, second) => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await run.createArtifact(taskId, 0, 'public/a', first);

  const again = run.createArtifact(taskId, 0, 'public/a', second);

  await expect(again).rejects.toMatchObject({ statusCode: 409, code: 'RequestConflict' });
});

test('artifacts come late after an exception, and not at all after any other end', async () => {
  await using local = await startForTest();
  const failed = await createRunningTask(local);
  await failed.run.reportFailed(failed.taskId, 0);
  const broken = await createRunningTask(local);
  await broken.run.reportException(broken.taskId, 0, { reason: 'internal-error' });

  await upload(broken.run, broken.taskId, 'public/late.log', 'late');

  const refused = failed.run.createArtifact(failed.taskId, 0, 'public/late.log', S3);
  await expect(refused).rejects.toMatchObject({ statusCode: 409, code: 'RequestConflict' });
  expect(await (await get(local, broken.taskId, 'public/late.log')).text()).toBe('late');
});

test('a run that nobody has claimed has no artifacts', async () => {
  await using local = await startForTest();
  const taskId = await createTask(local);

  const refused = local.queue.createArtifact(taskId, 0, 'public/a', S3);

  await expect(refused).rejects.toMatchObject({ statusCode: 400, code: 'InputError' });
});

test('an artifact that outlives its task is refused', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local, { deadline: inMs(60_000), expires: inMs(120_000) });

  await expect(run.createArtifact(taskId, 0, 'public/a', S3)).rejects.toMatchObject({ code: 'InputError' });
});

test('the artifacts of the latest run are listed in pages', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  await upload(run, taskId, 'public/first-run', '');
  await run.reportException(taskId, 0, { reason: 'worker-shutdown' });
  const { credentials } = await local.queue.claimTask(taskId, 1, WORKER);
  const second = local.as(credentials).queue;
  for (const name of ['public/b', 'public/a']) await second.createArtifact(taskId, 1, name, S3);

  const page = await local.queue.listLatestArtifacts(taskId, { limit: 1 });
  const { continuationToken } = page;
  const rest = await local.queue.listLatestArtifacts(taskId, { continuationToken });

  expect([...page.artifacts, ...rest.artifacts].map(({ name }) => name)).toEqual(['public/a', 'public/b']);
  expect(rest.continuationToken).toBeUndefined();
});

test('every endpoint of the queue works', async () => {
  await using local = await startForTest();
  const { queue } = local;
  const { taskId, run } = await createRunningTask(local);
  await queue.ping();
  await run.createArtifact(taskId, 0, 'public/a', REFERENCE);
  await queue.artifactInfo(taskId, 0, 'public/a');
  await queue.latestArtifactInfo(taskId, 'public/a');
  await queue.artifact(taskId, 0, 'public/a');
  await queue.latestArtifact(taskId, 'public/a');
  await queue.listArtifacts(taskId, 0);
  await queue.listLatestArtifacts(taskId);
  const { uploadId, ...object } = await run.createArtifact(taskId, 0, 'public/o', {
    ...S3,
    storageType: 'object',
  });
  const { projectId, expires: until } = object;
  const objects = local.as(object.credentials).object;
  const proposedUploadMethods = { dataInline: { contentType: 'text/plain', objectData: '' } };
  await objects.createUpload(object.name, { projectId, uploadId, expires: until, proposedUploadMethods });
  await objects.finishUpload(object.name, { projectId, uploadId });
  await run.finishArtifact(taskId, 0, 'public/o', { uploadId });
  for (const url of [
    queue.buildUrl(queue.getArtifact, taskId, 0, 'public/o'),
    queue.buildUrl(queue.getLatestArtifact, taskId, 'public/o'),
  ]) {
    expect((await fetch(url)).status).toBe(200);
  }
  await run.reclaimTask(taskId, 0);
  await run.reportException(taskId, 0, { reason: 'worker-shutdown' });
  const { tasks } = await queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });
  await local.as(tasks[0].credentials).queue.reportFailed(taskId, 1);
  await queue.rerunTask(taskId);
  await local.as((await queue.claimTask(taskId, 2, WORKER)).credentials).queue.reportCompleted(taskId, 2);
  await queue.task(taskId);
  await queue.tasks({ taskIds: [taskId] });
  await queue.statuses({ taskIds: [taskId] });
  await queue.status(taskId);
  await queue.scheduleTask(await createTask(local));
  await queue.cancelTask(taskId);
  await queue.listDependentTasks(taskId);
  await queue.listTaskGroup(taskId);
  await queue.getTaskGroup(taskId);
  await queue.sealTaskGroup(taskId);
  await queue.cancelTaskGroup(taskId);
  await queue.pendingTasks(QUEUE_ID);
  await queue.taskQueueCounts(QUEUE_ID);
  await queue.listPendingTasks(QUEUE_ID);
  await queue.listClaimedTasks(QUEUE_ID);
  await queue.listTaskQueues();
  await queue.getTaskQueue(QUEUE_ID);
  const [provisionerId, workerType] = QUEUE_ID.split('/');
  await queue.listProvisioners();
  await queue.getProvisioner(provisionerId);
  await queue.listWorkerTypes(provisionerId);
  await queue.getWorkerType(provisionerId, workerType);
  await queue.listWorkers(provisionerId, workerType);
  const worker = [provisionerId, workerType, WORKER.workerGroup, WORKER.workerId];
  await queue.declareWorker(...worker, { expires });
  await queue.getWorker(...worker);
  await queue.quarantineWorker(...worker, { quarantineUntil: expires });
  const urgent = await createTask(local);
  await local.call('POST', 'queue', `/task/${urgent}/priority`, { newPriority: 'high' });
  await local.call('POST', 'queue', `/task-group/${urgent}/priority`, { newPriority: 'low' });

  expect(notExercised(local, 'queue')).toEqual([]);
});
