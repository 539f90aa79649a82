import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type LocalTaskcluster, startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { payloadSchemaFor } from '../../../features/payload-schema.ts';
import type { TaskDocument } from '../../task-file/task-document.ts';
import { readUpstream } from './read-upstream.ts';
import { provideImages, upstreamImages } from './upstream-images.ts';
import { upstreamTask } from './upstream-task.ts';

const taskId = 'fN4hV0r2Q1CnR9kIwSxVMA';
const imageTaskId = 'CD9UwwleQDGFGnNpSlUPPA';
const path = 'public/image.tar';
const worker = { workerGroup: 'g', workerId: 'w' };
const expires = taskcluster.fromNowJSON('1 day');
const definition = {
  taskQueueId: 'some/pool',
  ...{ created: taskcluster.fromNowJSON('0 seconds'), deadline: taskcluster.fromNowJSON('1 hour'), expires },
  metadata: { name: 'tests', description: '', owner: 'a@example.com', source: 'https://example.com' },
  payload: { image: { type: 'indexed-image', namespace: 'images.base', path }, maxRunTime: 60 },
};

let deployment: LocalTaskcluster;
let local: LocalTaskcluster;

beforeAll(async () => {
  [deployment, local] = await Promise.all([startLocalTaskcluster(), startLocalTaskcluster()]);
  const queue = new taskcluster.Queue({ ...deployment });
  await queue.createTask(taskId, {
    ...definition,
    routes: ['index.some.where', 'checks'],
    scopes: ['docker-worker:cache:a', 'generic-worker:b', 'secrets:get:c'],
  });
  await queue.createTask(imageTaskId, { ...definition, payload: {} });
  await queue.claimTask(imageTaskId, 0, worker);
  const artifact = { storageType: 's3', contentType: 'application/x-tar', expires };
  const { putUrl } = await queue.createArtifact(imageTaskId, 0, path, artifact);
  await fetch(putUrl, { method: 'PUT', body: 'bytes', headers: { 'content-type': 'application/x-tar' } });
  await queue.reportCompleted(imageTaskId, 0);
  await new taskcluster.Index({ ...deployment }).insertTask('images.base', {
    ...{ taskId: imageTaskId, rank: 0, data: {}, expires },
  });
});
afterAll(async () => {
  await Promise.all([deployment, local].map((one) => one[Symbol.asyncDispose]()));
});

test.each([
  `https://tc.example.com/tasks/${taskId}`,
  `https://tc.example.com/tasks/${taskId}/runs/0/logs/public/logs/live.log#L1`,
  `https://tc.example.com/api/queue/v1/task/${taskId}`,
])('%s is the address of a task', (address) => {
  expect(upstreamTask(address, {})).toEqual({ rootUrl: 'https://tc.example.com', taskId });
});

test('a task is named by options as well, a file is no task, and what is neither is told', () => {
  expect(upstreamTask(undefined, { rootUrl: 'https://tc.example.com/', taskId })).toEqual({
    ...{ rootUrl: 'https://tc.example.com', taskId },
  });
  expect(upstreamTask('task.yml', {})).toBeUndefined();
  expect(() => upstreamTask('https://tc.example.com/docs', {})).toThrow(
    'give one such as https://tc.example.com/tasks/',
  );
  expect(() => upstreamTask('https://tc.example.com/tasks/none', {})).toThrow("'none' is no taskId");
});

test('a definition is what can be had of it here, and the rest is named', async () => {
  const { tasks, notices } = await readUpstream({ rootUrl: deployment.rootUrl, taskId }, payloadSchemaFor());

  expect(tasks).toMatchObject([
    { name: 'tests', taskId, task: { scopes: ['docker-worker:cache:a', 'secrets:get:c'] } },
  ]);
  expect(tasks[0]?.task).not.toHaveProperty('routes');
  expect(notices).toEqual([
    'tests: runs without its routes, which lead nowhere here: index.some.where, checks',
    'tests: runs without its scopes of services that are not here: generic-worker:b',
  ]);
});

describe('a deployment that does not give it', () => {
  test('says so', async () => {
    await using closed = await startLocalTaskcluster({ anonymous: false });
    const read = (rootUrl: string, id = taskId) => readUpstream({ rootUrl, taskId: id }, payloadSchemaFor());

    await expect(read(deployment.rootUrl, 'cunpSPgxSP6QB5skwS3Lsw')).rejects.toThrow(
      `${deployment.rootUrl} has no task cunpSPgxSP6QB5skwS3Lsw`,
    );
    await expect(read(closed.rootUrl)).rejects.toThrow('only what is public can be had');
  });

  test('or is not there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');

    await expect(
      readUpstream({ rootUrl: `http://127.0.0.1:${port}`, taskId }, payloadSchemaFor()),
    ).rejects.toThrow(`could not be fetched from http://127.0.0.1:${port}`);
  });
});

describe('images', () => {
  const document = (image: unknown, id = taskId): TaskDocument => ({
    ...{ name: 'tests', taskId: id, dependencies: [], task: {} },
    payload: { image, maxRunTime: 60 },
  });
  const services = () => ({
    queue: new taskcluster.Queue({ ...local }),
    index: new taskcluster.Index({ ...local }),
  });
  const bytes = async (url: string) => await (await fetch(url)).text();

  test('of other tasks are wanted, those of tasks that run as well are not', () => {
    const own = document({ type: 'task-image', taskId, path });

    expect(upstreamImages([own, document('busybox', imageTaskId)])).toEqual([]);
    expect(upstreamImages([document({ type: 'task-image', taskId: imageTaskId, path })])).toMatchObject([
      { wantedBy: 'tests', taskId: imageTaskId, path },
    ]);
  });

  test('are had of the deployment by task and by index', async () => {
    const { queue, index } = services();
    const wanted = upstreamImages([
      document({ type: 'task-image', taskId: imageTaskId, path }),
      document(definition.payload.image),
    ]);
    await provideImages(wanted, deployment.rootUrl, { queue, index });

    expect(await bytes(queue.buildUrl(queue.getLatestArtifact, imageTaskId, path))).toBe('bytes');
    expect(await bytes(index.buildUrl(index.findArtifactFromTask, 'images.base', path))).toBe('bytes');
  });

  test('that are private or in no index are told', async () => {
    const wanted = (image: object) =>
      provideImages(upstreamImages([document(image)]), deployment.rootUrl, services());

    await expect(wanted({ type: 'task-image', taskId: imageTaskId, path: 'private/i.tar' })).rejects.toThrow(
      'tests: its image private/i.tar is not public',
    );
    await expect(wanted({ type: 'indexed-image', namespace: 'no.such', path })).rejects.toThrow(
      'has no indexed task no.such',
    );
  });
});
