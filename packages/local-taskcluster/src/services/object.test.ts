import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { notExercised, startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createRunningTask, inMs } from '../testing/task.ts';

const expires = inMs(3600_000);
const projectId = 'test-project';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function upload(text: string, methods: object = {}) {
  const objectData = Buffer.from(text).toString('base64');
  const proposedUploadMethods = { dataInline: { contentType: 'text/plain', objectData }, ...methods };
  return { projectId, uploadId: taskcluster.slugid(), expires, proposedUploadMethods };
}

async function store({ object }: TestTaskcluster, name: string, text: string): Promise<void> {
  const { uploadId, ...rest } = upload(text);
  await object.createUpload(name, { uploadId, ...rest });
  await object.finishUpload(name, { projectId, uploadId, hashes: { sha256: sha256(text) } });
}

test('an object that came inline is downloaded with its hashes', async () => {
  await using local = await startForTest();
  await local.object.ping();
  await store(local, 'dir/one', 'content');

  const getUrl = await local.object.startDownload('dir/one', { acceptDownloadMethods: { getUrl: true } });
  const simple = await local.object.startDownload('dir/one', { acceptDownloadMethods: { simple: true } });
  const metadata = await local.object.object('dir/one');
  const redirected = await fetch(local.object.buildSignedUrl(local.object.download, 'dir/one'));

  expect(getUrl).toMatchObject({ method: 'getUrl', hashes: { sha256: sha256('content') } });
  expect(metadata).toEqual({ projectId, expires, hashes: { sha256: sha256('content') } });
  expect(await (await fetch(simple.url)).text()).toBe('content');
  expect(await redirected.text()).toBe('content');
  expect(notExercised(local, 'object')).toEqual([]);
});

test('a large object is put to a URL', async () => {
  await using local = await startForTest();
  const text = 'x'.repeat(100_000);
  const putUrl = { contentType: 'text/plain', contentLength: text.length };
  const { uploadId, ...rest } = { ...upload(''), proposedUploadMethods: { putUrl } };

  const { uploadMethod } = await local.object.createUpload('large', { uploadId, ...rest });
  const { url, headers } = uploadMethod.putUrl;
  const early = local.object.finishUpload('large', { projectId, uploadId });
  await expect(early).rejects.toMatchObject({ statusCode: 409 });
  await fetch(url, { method: 'PUT', headers, body: text });
  await local.object.finishUpload('large', { projectId, uploadId });

  const download = await local.object.startDownload('large', { acceptDownloadMethods: { simple: true } });
  expect(await (await fetch(download.url)).text()).toBe(text);
});

test('an object is written in one upload only', async () => {
  await using local = await startForTest();
  await store(local, 'one', 'first');

  await expect(local.object.createUpload('one', upload('second'))).rejects.toMatchObject({ statusCode: 409 });
});

test('a hash that was given before cannot change', async () => {
  await using local = await startForTest();
  await store(local, 'one', 'first');
  const { uploadId, ...rest } = upload('x');
  await local.object.createUpload('two', { uploadId, ...rest, hashes: { sha256: sha256('a') } });

  const finish = local.object.finishUpload('two', { projectId, uploadId, hashes: { sha256: sha256('b') } });

  await expect(finish).rejects.toMatchObject({ statusCode: 409, code: 'RequestConflict' });
});

test('an object is not there before its upload is finished', async () => {
  await using local = await startForTest();
  await local.object.createUpload('one', upload('content'));

  await expect(local.object.object('one')).rejects.toMatchObject({ statusCode: 404 });
});

test('an object artifact is uploaded with the credentials that came with it, and read by everybody', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local, { projectId });
  const created = await run.createArtifact(taskId, 0, 'public/o', {
    ...{ storageType: 'object', contentType: 'text/plain', expires },
  });
  const { object } = local.as(created.credentials);
  const { name, uploadId, projectId: project } = created;
  const { proposedUploadMethods } = upload('content');
  const hashes = { sha256: sha256('content') };
  await object.createUpload(name, { projectId: project, uploadId, expires, hashes, proposedUploadMethods });
  await object.finishUpload(name, { projectId: project, uploadId });
  const before = await fetch(local.queue.buildUrl(local.queue.getArtifact, taskId, 0, 'public/o'));
  await run.finishArtifact(taskId, 0, 'public/o', { uploadId });
  const after = await fetch(local.queue.buildUrl(local.queue.getArtifact, taskId, 0, 'public/o'));

  const description = await local.as({}).queue.latestArtifact(taskId, 'public/o');
  const reader = local.as(description.credentials).object;
  const download = await reader.startDownload(name, { acceptDownloadMethods: { getUrl: true } });

  expect(created).toMatchObject({ name: `t/${taskId}/0/public/o`, projectId });
  expect(before.status).toBe(404);
  expect(await after.text()).toBe('content');
  expect(download.hashes).toEqual(hashes);
  await expect(object.createUpload('other', upload('x'))).rejects.toMatchObject({ statusCode: 403 });
});

test('finishing needs the uploadId, and an artifact that is an object', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local);
  const artifact = { contentType: 'text/plain', expires };
  await run.createArtifact(taskId, 0, 'public/o', { storageType: 'object', ...artifact });
  await run.createArtifact(taskId, 0, 'public/s', { storageType: 's3', ...artifact });
  const uploadId = taskcluster.slugid();

  for (const name of ['public/o', 'public/s']) {
    const refused = run.finishArtifact(taskId, 0, name, { uploadId });
    await expect(refused).rejects.toMatchObject({ statusCode: 400, code: 'InputError' });
  }
});
