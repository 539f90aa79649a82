import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { startForTest } from './testing/start.ts';
import { createRunningTask, inMs, QUEUE_ID, taskDefinition } from './testing/task.ts';

test.each([-16, 16])('a task created %s minutes from now is refused', async (minutes) => {
  await using local = await startForTest();
  const created = inMs(minutes * 60_000);

  await expect(
    local.queue.createTask(taskcluster.slugid(), taskDefinition({ created })),
  ).rejects.toMatchObject({
    statusCode: 400,
    code: 'InputError',
    message: expect.stringContaining('15 minutes'),
  });
});

const [provisionerId, workerType] = QUEUE_ID.split('/');

test.each([
  { taskQueueId: QUEUE_ID, provisionerId, workerType },
  { taskQueueId: QUEUE_ID, workerType },
  { taskQueueId: undefined, provisionerId },
  { taskQueueId: undefined },
])('a task queue is named in one way and wholly, or the task is refused: %j', async (names) => {
  await using local = await startForTest();

  await expect(local.queue.createTask(taskcluster.slugid(), taskDefinition(names))).rejects.toMatchObject({
    statusCode: 400,
    code: 'InputError',
  });
});

test('purgeCache answers without a body', async () => {
  await using local = await startForTest();

  expect(await local.purgeCache.purgeCache(QUEUE_ID, { cacheName: 'one' })).toBeFalsy();
});

test('whose signature is refused is told how to sign', async () => {
  await using local = await startForTest();
  const authorization = 'Hawk id="nobody", ts="1", nonce="n", mac="m"';

  const { status, headers } = await fetch(`${local.rootUrl}/api/auth/v1/scopes/current`, {
    headers: { authorization },
  });

  expect(status).toBe(401);
  expect(headers.get('www-authenticate')).toBe('hawk');
});

test('the index leads to the queue, with a signature where the artifact is not public', async () => {
  await using local = await startForTest();
  const { taskId, run } = await createRunningTask(local, { routes: ['index.project.build'] });
  const artifact = {
    storageType: 'reference',
    contentType: '',
    expires: inMs(60_000),
    url: 'https://example.com/',
  };
  await run.createArtifact(taskId, 0, 'public/a', artifact);
  await run.createArtifact(taskId, 0, 'private/b', artifact);
  await run.reportCompleted(taskId, 0);
  const lead = async (name: string) => {
    const url = local.index.buildSignedUrl(local.index.findArtifactFromTask, 'project.build', name);
    const { status, headers } = await fetch(url, { redirect: 'manual' });
    return { status, location: headers.get('location') ?? '' };
  };

  const [open, closed] = [await lead('public/a'), await lead('private/b')];

  const queue = `${local.rootUrl}/api/queue/v1/task/${taskId}/artifacts`;
  expect(open).toEqual({ status: 303, location: `${queue}/public%2Fa` });
  expect(closed.location).toContain(`${queue}/private%2Fb?bewit=`);
  const followed = await fetch(closed.location, { redirect: 'manual' });
  expect(followed.headers.get('location')).toBe('https://example.com/');
});

test('a new deployment gives nobody anything', async () => {
  await using local = await startForTest({ anonymous: false });
  const { taskId } = await createRunningTask(local);

  await expect(local.as({}).queue.status(taskId)).rejects.toMatchObject({ statusCode: 403 });
  await expect(local.as({}).queue.ping()).resolves.toMatchObject({ alive: true });
});
